#include "meta/drop_entry.hpp"

#include "meta/bucket_usage.hpp"
#include "meta/op_support.hpp"

namespace turbine::meta {

Result<> drop_here(Partition& partition, InodeId directory, const Entry& entry, bool keep_directory,
                   Half* half) {
  const proto::Inode& file = entry.dirent.file();
  auto& remove = *half->mutations.Add()->mutable_remove_file();
  remove.set_directory(directory.value);
  remove.set_name(entry.name);
  remove.set_inode(file.id());
  remove.set_old_size(file.size());
  remove.set_keep_directory(keep_directory);
  release_content(partition, file.content(), half);
  return add_charge(partition, file.bucket(), -static_cast<int64_t>(file.size()), half);
}

Task<> drop_file(Transaction& txn, PartitionPtr partition, InodeId directory, Entry entry,
                 bool keep_directory, proto::Condition condition) {
  if (entry.dirent.has_file()) {
    co_return drop_here(*partition, directory, entry, keep_directory, &txn.half());
  }
  auto& unlink = *txn.half().mutations.Add()->mutable_unlink_file();
  unlink.set_directory(directory.value);
  unlink.set_name(entry.name);
  unlink.set_keep_directory(keep_directory);
  proto::SubOperation operation;
  operation.mutable_drop_link()->set_inode(entry.dirent.link());
  *operation.mutable_drop_link()->mutable_condition() = std::move(condition);
  CO_TRY(co_await txn.prepare(entry.id().partition(), std::move(operation)));
  co_return Result<>{};
}

}  // namespace turbine::meta
