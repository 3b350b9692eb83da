// LOCK_RANGE: a byte-range lock, or who stands in its way.
#include "meta/lock_support.hpp"

namespace turbine::meta {

/// Whoever is granted a lock that way has been told, also if it was given a claim before.
Answer<proto::LockReply> lock_range(Call call, proto::LockRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId id(request.inode());
  const WantedLock wanted = CO_TRY(wanted_lock_of(request));
  OpenLocks open = CO_TRY(co_await open_locks(partition, id));
  CO_TRY(check_may_lock(request, open.inode));
  rpc::With<proto::LockReply> reply;
  if (const HeldLock* holder = open.table.conflict(wanted)) {
    reply.body.set_verdict(proto::LOCK_DENIED);
    if (request.will_wait() && partition->lock_waits().would_deadlock(id, wanted, open.table)) {
      reply.body.set_verdict(proto::LOCK_DEADLOCK);
    }
    *reply.body.mutable_holder() = holder_record(*holder);
    co_return reply;
  }
  proto::ChangeLocksMutation change = change_locks_of(id, request.owner());
  change.mutable_take()->set_begin(wanted.span.begin);
  change.mutable_take()->set_end(wanted.span.end);
  change.mutable_take()->set_exclusive(wanted.exclusive);
  change.mutable_take()->set_state(request.state());
  CO_TRY(co_await commit_locks(call, &open, std::move(change), &reply.body));
  co_return reply;
}

}  // namespace turbine::meta
