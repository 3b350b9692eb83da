// LIST_DIRECTORY: one range scan; attributes come with the names.
#include <algorithm>

#include "meta/op_support.hpp"
#include "meta/operations.hpp"

namespace turbine::meta {

Answer<proto::ListDirectoryReply> list_directory(Call call, proto::ListDirectoryRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId directory(request.directory());
  CO_TRY(co_await partition->wait_settled({lock_present(directory, true).key}, directory));
  const proto::Inode inode = CO_TRY(co_await find_directory(partition, directory));

  const std::string all = partition->keys().dirents(directory);
  std::string first = all + request.after();
  if (!request.inclusive() && !request.after().empty()) first.push_back('\0');
  first = std::max(first, all + request.prefix());
  const std::string end = prefix_end(all + request.prefix());

  rpc::With<proto::ListDirectoryReply> reply;
  reply.body.set_marker(!inode.implicit());
  size_t bytes = 0;
  auto it = partition->kv().scan(first, end);
  for (; it->valid(); it->next()) {
    if (static_cast<uint32_t>(reply.body.entries_size()) >= request.count() ||
        bytes >= kReplyBytesMax) {
      reply.body.set_more(true);
      break;
    }
    std::string_view name = it->key().substr(all.size());
    auto dirent = CO_TRY(parse_record<proto::Dirent>(it->key(), it->value()));
    proto::DirectoryEntry& entry = *reply.body.add_entries();
    if (name.ends_with('/')) {
      name.remove_suffix(1);
      entry.set_is_directory(true);
      entry.mutable_inode()->set_id(dirent.directory());
      entry.mutable_inode()->set_type(proto::FILE_DIRECTORY);
    } else if (dirent.has_file()) {
      entry.mutable_inode()->Swap(dirent.mutable_file());
    } else {
      const InodeId id(dirent.link());
      auto record =
          CO_TRY(read_record<proto::InodeRecord>(partition->kv(), partition->keys().inode(id)));
      // One that a transaction is changing is asked for by itself, which waits for the outcome.
      const bool here =
          record.has_value() && !partition->is_prepared({lock_inode(id, true).key}, {});
      entry.set_elsewhere(!here);
      entry.mutable_inode()->set_id(id.value);
      if (here) entry.mutable_inode()->Swap(record->mutable_inode());
    }
    entry.set_name(name.data(), name.size());
    bytes += it->key().size() + it->value().size();
  }
  CO_TRY(it->status());
  co_return reply;
}

}  // namespace turbine::meta
