// SHARE_FILE: share reservations, taken or given back.
#include "meta/lock_support.hpp"
#include "meta/permissions.hpp"

namespace turbine::meta {

Answer<proto::ShareFileReply> share_file(Call call, proto::ShareFileRequest request) {
  const InodeId id(request.inode());
  rpc::With<proto::ShareFileReply> reply;
  proto::ChangeLocksMutation change = change_locks_of(id, request.owner());
  if (request.remove()) {
    OpenLocks open = CO_TRY(co_await open_locks_only(call.partition, id));
    change.mutable_drop_share();
    CO_TRY(co_await commit_locks(call, &open, std::move(change), &reply.body));
    co_return reply;
  }
  constexpr uint32_t kBits = kShareReads | kShareWrites;
  const HeldShare wanted{lock_owner_of(request.owner()), request.access() & kBits,
                         request.deny() & kBits};
  OpenLocks open = CO_TRY(co_await open_locks(call.partition, id));
  if (request.has_who()) CO_TRY(check_data_access(request.who(), open.inode, kMayRead));
  if (open.table.share_conflict(wanted) != nullptr) {
    reply.body.set_verdict(proto::LOCK_DENIED);
    co_return reply;
  }
  change.mutable_take_share()->set_access(wanted.access);
  change.mutable_take_share()->set_deny(wanted.deny);
  CO_TRY(co_await commit_locks(call, &open, std::move(change), &reply.body));
  co_return reply;
}

}  // namespace turbine::meta
