// WAIT_LOCK: waits for a byte-range lock and takes it under a claim, or says in time that it is not
// free yet. Without a request id: the claim tells a repetition what an earlier call has done.
#include <algorithm>

#include "meta/lock_support.hpp"

namespace turbine::meta {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kWaitMax{5000};
constexpr milliseconds kWaitedMax = std::chrono::hours(24 * 365);

/// Its place among those who wait.
class Place {
 public:
  Place(PartitionPtr partition, InodeId file, const WantedLock& wanted, TimePoint since)
      : partition_(std::move(partition)),
        file_(file),
        wait_(partition_->lock_waits().enter(file, wanted, since)) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { partition_->lock_waits().leave(file_, wait_); }
  LockWaits::Wait& wait() { return *wait_; }

 private:
  PartitionPtr partition_;
  InodeId file_;
  std::shared_ptr<LockWaits::Wait> wait_;
};

/// What can be said now; empty: it is to wait.
Task<std::optional<proto::LockVerdict>> try_now(Call call, const proto::LockRequest* request,
                                                LockWaits::Wait* wait) {
  const PartitionPtr partition = call.partition;
  LockWaits& waits = partition->lock_waits();
  const InodeId id(request->inode());
  const WantedLock& wanted = wait->wanted();
  waits.arm(*wait);
  OpenLocks open = CO_TRY(co_await open_locks(partition, id));
  if (open.table.holds_by(wanted, request->claim())) co_return proto::LOCK_GRANTED;
  if (open.table.holds(wanted)) co_return proto::LOCK_HELD;
  if (wait->withdrawn()) co_return proto::LOCK_DENIED;
  if (open.table.conflict(wanted) != nullptr) {
    if (waits.would_deadlock(id, wanted, open.table)) co_return proto::LOCK_DEADLOCK;
    co_return std::nullopt;
  }
  if (waits.is_behind(id, *wait, open.table)) co_return std::nullopt;
  proto::ChangeLocksMutation change = change_locks_of(id, request->owner());
  change.mutable_take()->set_begin(wanted.span.begin);
  change.mutable_take()->set_end(wanted.span.end);
  change.mutable_take()->set_exclusive(wanted.exclusive);
  change.mutable_take()->set_claim(request->claim());
  change.mutable_take()->set_state(request->state());
  const proto::LockReply reply;
  CO_TRY(co_await commit_locks(call, &open, std::move(change), &reply));
  co_return proto::LOCK_GRANTED;
}

}  // namespace

Answer<proto::LockReply> wait_lock(Call call, proto::LockRequest request) {
  const PartitionPtr partition = call.partition;
  const WantedLock wanted = CO_TRY(wanted_lock_of(request));
  if (request.claim() == 0) co_return fail(Errc::invalid, "waiting without a claim");
  const TimePoint now = partition->clock().now();
  const TimePoint deadline = now + std::min(milliseconds(request.wait_ms()), kWaitMax);
  const auto waited = std::min<uint64_t>(request.waited_ms(), kWaitedMax.count());
  Place place(partition, InodeId(request.inode()), wanted, now - milliseconds(waited));
  rpc::With<proto::LockReply> reply;
  for (;;) {
    const auto verdict = CO_TRY(co_await try_now(call, &request, &place.wait()));
    if (verdict) {
      reply.body.set_verdict(*verdict);
      co_return reply;
    }
    if (!(co_await place.wait().woken(partition->clock(), deadline)).ok()) break;
    if (!partition->serving()) {
      co_return fail(Errc::unavailable, "partition {} no longer serves here", partition->id());
    }
  }
  reply.body.set_verdict(proto::LOCK_WAITING);
  co_return reply;
}

}  // namespace turbine::meta
