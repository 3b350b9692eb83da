// UNLOCK_RANGE: an owner lets go of bytes, whether it has locked them or waits for them.
#include "meta/lock_support.hpp"

namespace turbine::meta {

/// With a claim: what a waiting call was granted, if its owner has not asked for it since.
Answer<proto::UnlockRangeReply> unlock_range(Call call, proto::UnlockRangeRequest request) {
  const PartitionPtr partition = call.partition;
  const InodeId id(request.inode());
  if (request.begin() >= request.end()) co_return fail(Errc::invalid, "an unlock of no bytes");
  OpenLocks open = CO_TRY(co_await open_locks_only(partition, id));
  if (!request.has_claim()) {
    partition->lock_waits().withdraw(id, lock_owner_of(request.owner()),
                                     {request.begin(), request.end()});
  }
  proto::ChangeLocksMutation change = change_locks_of(id, request.owner());
  change.mutable_drop()->set_begin(request.begin());
  change.mutable_drop()->set_end(request.end());
  if (request.has_claim()) change.mutable_drop()->set_claim(request.claim());
  rpc::With<proto::UnlockRangeReply> reply;
  CO_TRY(co_await commit_locks(call, &open, std::move(change), &reply.body));
  co_return reply;
}

}  // namespace turbine::meta
