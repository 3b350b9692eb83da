#include "meta/lock_support.hpp"

#include "meta/op_support.hpp"
#include "meta/permissions.hpp"

namespace turbine::meta {
namespace {

/// Taken behind all other keys of its operation, and nobody who holds it takes another: no circle.
Task<KeyLocks::Guard> lock_table(PartitionPtr partition, InodeId id) {
  std::vector<LockRequest> keys = {{{LockKind::file_locks, id, {}}, true}};
  co_return co_await partition->locks().acquire_until(
      std::move(keys), partition->clock(),
      partition->clock().now() + partition->options().lock_wait);
}

}  // namespace

Task<FileLocks> load_locks(PartitionPtr partition, InodeId id) {
  const std::string key = partition->keys().lock(id);
  const auto record = CO_TRY(co_await load_record<proto::FileLocks>(partition->kv(), key));
  if (!record.has_value()) co_return FileLocks{};
  co_return FileLocks::parse(*record);
}

Task<OpenLocks> open_locks_only(PartitionPtr partition, InodeId id) {
  OpenLocks open;
  open.locks = CO_TRY(co_await lock_table(partition, id));
  open.table = CO_TRY(co_await load_locks(partition, id));
  co_return open;
}

Task<OpenLocks> open_locks(PartitionPtr partition, InodeId id) {
  LockedInode file = CO_TRY(co_await lock_file(partition, id, false));
  if (file.inode.type() != proto::FILE_REGULAR) {
    co_return fail(Errc::invalid, "inode {} is no regular file: it can't be locked", id);
  }
  OpenLocks open = CO_TRY(co_await open_locks_only(partition, id));
  open.inode = std::move(file.inode);
  open.file = std::move(file.guard);
  co_return open;
}

Result<> check_may_lock(const proto::LockRequest& request, const proto::Inode& inode) {
  if (!request.has_who()) return {};
  return check_data_access(request.who(), inode, kMayRead);
}

Result<WantedLock> wanted_lock_of(const proto::LockRequest& request) {
  if (request.begin() >= request.end()) return fail(Errc::invalid, "a lock of no bytes");
  return WantedLock{
      lock_owner_of(request.owner()), {request.begin(), request.end()}, request.exclusive()};
}

proto::LockHolder holder_record(const HeldLock& lock) {
  proto::LockHolder holder;
  *holder.mutable_owner() = record_of(lock.owner);
  holder.set_begin(lock.span.begin);
  holder.set_end(lock.span.end);
  holder.set_exclusive(lock.exclusive);
  return holder;
}

proto::ChangeLocksMutation change_locks_of(InodeId file, const proto::LockOwner& owner) {
  proto::ChangeLocksMutation change;
  change.set_inode(file.value);
  *change.mutable_owner() = owner;
  return change;
}

Task<> commit_locks(Call call, OpenLocks* open, proto::ChangeLocksMutation change,
                    const google::protobuf::MessageLite* reply) {
  const InodeId file(change.inode());
  if (!open->table.apply(change)) co_return Result<>{};
  if (open->table.size() > kLocksPerFileMax && (change.has_take() || change.has_take_share())) {
    co_return fail(Errc::no_space, "inode {} has {} locks; there may be no more", file,
                   kLocksPerFileMax);
  }
  Half half;
  *half.mutations.Add()->mutable_change_locks() = std::move(change);
  CO_TRY(co_await call.partition->commit(make_entry(call.id, *reply, &half)));
  call.partition->lock_waits().wake(file, open->table);
  co_return Result<>{};
}

}  // namespace turbine::meta
