// TEST_LOCK: who stands in the way of a byte-range lock.
#include "meta/lock_support.hpp"
#include "meta/op_support.hpp"

namespace turbine::meta {

Answer<proto::LockReply> test_lock(Call call, proto::LockRequest request) {
  const InodeId id(request.inode());
  const WantedLock wanted = CO_TRY(wanted_lock_of(request));
  const proto::Inode inode = CO_TRY(co_await find_inode(call.partition, id));
  CO_TRY(check_may_lock(request, inode));
  const FileLocks table = CO_TRY(co_await load_locks(call.partition, id));
  rpc::With<proto::LockReply> reply;
  if (const HeldLock* holder = table.conflict(wanted)) {
    reply.body.set_verdict(proto::LOCK_DENIED);
    *reply.body.mutable_holder() = holder_record(*holder);
  }
  co_return reply;
}

}  // namespace turbine::meta
