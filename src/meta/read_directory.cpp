// READ_DIRECTORY: a directory as files show it, resumed by cookies.
#include <algorithm>

#include "meta/op_support.hpp"
#include "meta/operations.hpp"
#include "meta/permissions.hpp"
#include "meta/shown_name.hpp"

namespace turbine::meta {
namespace {

/// The inode of a dirent's file, if it is in this partition.
Result<> fill_inode(Partition& partition, proto::Dirent* dirent, proto::Inode* inode) {
  if (dirent->has_file()) {
    inode->Swap(dirent->mutable_file());
    return {};
  }
  const InodeId id(dirent->directory() != 0 ? dirent->directory() : dirent->link());
  if (id.partition() != partition.id()) return {};
  auto record = TRY(read_record<proto::InodeRecord>(partition.kv(), partition.keys().inode(id)));
  if (record.has_value()) inode->Swap(record->mutable_inode());
  return {};
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
  size_t bytes = 0;
  auto it = partition->kv().scan(first, prefix_end(all));
  for (; it->valid(); it->next()) {
    if (static_cast<uint32_t>(reply.body.entries_size()) >= request.count() ||
        bytes >= kReplyBytesMax) {
      break;
    }
    std::string_view name = it->key().substr(all.size());
    const bool is_directory = name.ends_with('/');
    if (is_directory) name.remove_suffix(1);
    auto dirent = CO_TRY(parse_record<proto::Dirent>(it->key(), it->value()));
    auto& entry = *reply.body.add_entries();
    entry.set_name(show_name(name, is_directory, dirent.shadowed(), dirent.cookie()));
    entry.set_cookie(dirent.cookie());
    entry.set_id(is_directory        ? dirent.directory()
                 : dirent.has_file() ? dirent.file().id()
                                     : dirent.link());
    if (request.with_inodes()) {
      CO_TRY(fill_inode(*partition, &dirent, entry.mutable_inode()));
      if (entry.inode().id() == 0) entry.clear_inode();
    }
    bytes += it->key().size() + it->value().size();
  }
  CO_TRY(it->status());
  reply.body.set_end(!it->valid());
  co_return reply;
}

}  // namespace turbine::meta
