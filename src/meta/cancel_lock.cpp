// CANCEL_LOCK: an owner no longer waits for a lock.
#include <algorithm>

#include "meta/lock_support.hpp"

namespace turbine::meta {

/// A lock that was granted to who waited, and that its owner can't know of yet, goes too: it is the
/// very lock that is cancelled, under a claim.
Answer<proto::CancelLockReply> cancel_lock(Call call, proto::LockRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId id(request.inode());
  const WantedLock wanted = CO_TRY(wanted_lock_of(request));
  OpenLocks open = CO_TRY(co_await open_locks_only(partition, id));
  partition->lock_waits().withdraw(id, wanted.owner, wanted.span);
  rpc::With<proto::CancelLockReply> reply;
  const auto& locks = open.table.locks();
  const auto granted = std::ranges::find_if(locks, [&](const HeldLock& held) {
    return held.claim != 0 && held.owner == wanted.owner && held.span == wanted.span &&
           held.exclusive == wanted.exclusive;
  });
  if (granted == locks.end()) {
    partition->lock_waits().wake(id, open.table);
    co_return reply;
  }
  proto::ChangeLocksMutation change = change_locks_of(id, request.owner());
  change.mutable_drop()->set_begin(wanted.span.begin);
  change.mutable_drop()->set_end(wanted.span.end);
  change.mutable_drop()->set_claim(granted->claim);
  CO_TRY(co_await commit_locks(call, &open, std::move(change), &reply.body));
  co_return reply;
}

}  // namespace turbine::meta
