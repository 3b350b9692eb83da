// READ_DIRECTORY: a directory as files show it, resumed by cookies.
#include <optional>

#include "meta/directory_page.hpp"
#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/permissions.hpp"

namespace turbine::meta {
namespace {

/// The row of the inode that a dirent names, if it is in this partition and not in the dirent.
Result<std::optional<std::string>> inode_row(const Partition& partition, std::string_view key,
                                             std::string_view value) {
  const auto dirent = TRY(parse_record<proto::Dirent>(key, value));
  const InodeId id(dirent.directory() != 0 ? dirent.directory() : dirent.link());
  const bool here =
      id.partition() == partition.id() &&
      !partition.is_prepared({lock_inode(id, true).key, lock_present(id, true).key}, {});
  if (dirent.has_file() || !here) return std::optional<std::string>{};
  return partition.kv().get(partition.keys().inode(id));
}

/// The dirent without its file's attributes, when a transaction is changing them; else nothing.
Result<std::optional<std::string>> unsettled_row(const Partition& partition, std::string_view key,
                                                 std::string_view value) {
  auto dirent = TRY(parse_record<proto::Dirent>(key, value));
  const InodeId id(dirent.file().id());
  if (!partition.is_prepared({lock_inode(id, true).key, lock_present(id, true).key}, {})) {
    return std::optional<std::string>{};
  }
  dirent.mutable_file()->Clear();
  dirent.mutable_file()->set_id(id.value);
  return std::optional<std::string>(dirent.SerializeAsString());
}

/// A dirent that holds its file's inode begins with that field.
bool holds_inode(std::string_view dirent) {
  constexpr char kFileTag = 1 << 3 | 2;
  return dirent.starts_with(kFileTag);
}

}  // namespace

Answer<proto::ReadDirectoryReply> read_directory_page(Call call,
                                                      proto::ReadDirectoryRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId directory(request.directory());
  CO_TRY(co_await partition->wait_settled({lock_present(directory, true).key}, directory));
  rpc::With<proto::ReadDirectoryReply> reply;
  *reply.body.mutable_directory() = CO_TRY(co_await find_directory(partition, directory));
  if (request.has_who()) CO_TRY(check_access(request.who(), reply.body.directory(), kMayRead));
  const std::string all = partition->keys().dirents(directory);
  std::string first = all;
  if (request.after() != 0) {
    const auto row = CO_TRY(co_await load_record<proto::CookieName>(
        partition->kv(), partition->keys().cookie(directory, request.after())));
    if (!row.has_value()) {
      co_return fail(Errc::invalid, "directory {} has not given the cookie {}, or long ago",
                     directory, request.after());
    }
    first += row->entry_key();
    first.push_back('\0');
  }
  uint32_t count = 0;
  std::string page;
  auto it = partition->kv().scan(first, prefix_end(all));
  for (; it->valid() && count < request.count() && page.size() < kReplyBytesMax; it->next()) {
    PageEntry entry{it->key().substr(all.size()), it->value(), {}};
    std::optional<std::string> inode, unsettled;
    if (request.with_inodes() && !holds_inode(entry.dirent)) {
      inode = CO_TRY(inode_row(*partition, it->key(), it->value()));
    } else if (request.with_inodes() && partition->has_prepared()) {
      unsettled = CO_TRY(unsettled_row(*partition, it->key(), it->value()));
    }
    if (inode) entry.inode = *inode;
    if (unsettled) entry.dirent = *unsettled;
    append_page_entry(page, entry);
    ++count;
  }
  CO_TRY(it->status());
  reply.body.set_end(!it->valid());
  reply.payload = Buffer::copy_of(page);
  co_return reply;
}

}  // namespace turbine::meta
