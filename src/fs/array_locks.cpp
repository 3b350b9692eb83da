#include "fs/array_locks.hpp"

#include <algorithm>
#include <vector>

#include "base/hash.hpp"
#include "fs/file_stat.hpp"
#include "proto/locks.pb.h"
#include "proto/rpc.pb.h"

namespace turbine::fs {
namespace {

using std::chrono::milliseconds;

uint64_t ms_of(Duration duration) {
  const auto count = std::chrono::duration_cast<milliseconds>(duration).count();
  return static_cast<uint64_t>(std::max<int64_t>(count, 0));
}

proto::LockOwner to_proto(const LockOwner& owner) {
  proto::LockOwner out;
  out.set_address(owner.address);
  out.set_name(owner.name);
  out.set_handle(owner.handle);
  out.set_process(owner.process);
  return out;
}

proto::LockRequest to_proto(const FileLock& lock) {
  proto::LockRequest out;
  out.set_inode(lock.file.value);
  *out.mutable_owner() = to_proto(lock.owner);
  out.set_begin(lock.span.begin);
  out.set_end(lock.span.end);
  out.set_exclusive(lock.exclusive);
  return out;
}

proto::UnlockRangeRequest to_unlock(const FileLock& lock) {
  proto::UnlockRangeRequest out;
  out.set_inode(lock.file.value);
  *out.mutable_owner() = to_proto(lock.owner);
  out.set_begin(lock.span.begin);
  out.set_end(lock.span.end);
  return out;
}

LockHolder to_holder(const proto::LockHolder& holder) {
  return {{holder.owner().address(), holder.owner().name(), holder.owner().handle(),
           holder.owner().process()},
          {holder.begin(), holder.end()},
          holder.exclusive()};
}

LockVerdict to_lock_verdict(proto::LockVerdict verdict) {
  if (verdict == proto::LOCK_GRANTED) return LockVerdict::granted;
  return verdict == proto::LOCK_DEADLOCK ? LockVerdict::deadlock : LockVerdict::denied;
}

WaitVerdict to_wait_verdict(proto::LockVerdict verdict) {
  switch (verdict) {
    case proto::LOCK_GRANTED:
      return WaitVerdict::granted;
    case proto::LOCK_HELD:
      return WaitVerdict::held;
    case proto::LOCK_DENIED:
      return WaitVerdict::withdrawn;
    case proto::LOCK_DEADLOCK:
      return WaitVerdict::deadlock;
    default:
      return WaitVerdict::waiting;
  }
}

meta::PartitionClientOptions patient(LocksOptions options) {
  options.partitions.attempt = std::max(options.partitions.attempt, options.wait * 3 / 2);
  return options.partitions;
}

class ArrayLocks final : public Locks {
 public:
  ArrayLocks(Clock& clock, rpc::Transport& transport, cluster::MapHolder& map, SessionId session,
             LocksOptions options)
      : clock_(clock),
        map_(map),
        session_(session),
        options_(options),
        partitions_(clock, transport, map, options.partitions),
        waits_(clock, transport, map, patient(options)) {}

  Task<LockVerdict> lock(CallContext call, Credentials who, FileLock lock, uint32_t state,
                         bool will_wait) override {
    proto::LockRequest request = to_proto(lock);
    *request.mutable_who() = to_proto(who);
    request.set_state(state);
    request.set_will_wait(will_wait);
    const auto reply = CO_TRY(co_await partitions_.call<proto::LockReply>(
        lock.file.partition(), proto::LOCK_RANGE, std::move(request), {}, call.request,
        call.received, options_.budget));
    co_return to_lock_verdict(reply.body.verdict());
  }

  Task<> unlock(CallContext call, FileLock lock) override {
    CO_TRY(co_await partitions_.call<proto::UnlockRangeReply>(
        lock.file.partition(), proto::UNLOCK_RANGE, to_unlock(lock), {}, call.request,
        call.received, options_.budget));
    co_return Result<>{};
  }

  Task<std::optional<LockHolder>> test(Credentials who, FileLock lock) override {
    proto::LockRequest request = to_proto(lock);
    *request.mutable_who() = to_proto(who);
    const auto reply = CO_TRY(co_await partitions_.call<proto::LockReply>(
        lock.file.partition(), proto::TEST_LOCK, std::move(request), {}, {}, clock_.now(),
        options_.budget));
    if (!reply.body.has_holder()) co_return std::optional<LockHolder>{};
    co_return std::optional<LockHolder>(to_holder(reply.body.holder()));
  }

  Task<> cancel(CallContext call, FileLock lock) override {
    CO_TRY(co_await partitions_.call<proto::CancelLockReply>(
        lock.file.partition(), proto::CANCEL_LOCK, to_proto(lock), {}, call.request, call.received,
        options_.budget));
    co_return Result<>{};
  }

  uint64_t new_claim() override { return combine_seeds(session_.value, ++last_claim_) | 1U; }

  Task<WaitVerdict> wait(FileLock lock, uint32_t state, uint64_t claim, TimePoint since) override {
    proto::LockRequest request = to_proto(lock);
    request.set_state(state);
    request.set_claim(claim);
    request.set_wait_ms(static_cast<uint32_t>(ms_of(options_.wait)));
    request.set_waited_ms(ms_of(clock_.now() - since));
    const auto reply = CO_TRY(co_await waits_.call<proto::LockReply>(
        lock.file.partition(), proto::WAIT_LOCK, std::move(request), {}, {}, clock_.now()));
    co_return to_wait_verdict(reply.body.verdict());
  }

  Task<> give_back(FileLock lock, uint64_t claim) override {
    proto::UnlockRangeRequest request = to_unlock(lock);
    request.set_claim(claim);
    CO_TRY(co_await partitions_.call<proto::UnlockRangeReply>(
        lock.file.partition(), proto::UNLOCK_RANGE, std::move(request), {}, {}, clock_.now(),
        options_.budget));
    co_return Result<>{};
  }

  Task<bool> share(CallContext call, Credentials who, FileShare share) override {
    proto::ShareFileRequest request;
    request.set_inode(share.file.value);
    *request.mutable_owner() = to_proto(share.owner);
    *request.mutable_who() = to_proto(who);
    request.set_access((share.reads ? 1U : 0U) | (share.writes ? 2U : 0U));
    request.set_deny((share.deny_reads ? 1U : 0U) | (share.deny_writes ? 2U : 0U));
    const auto reply = CO_TRY(co_await partitions_.call<proto::ShareFileReply>(
        share.file.partition(), proto::SHARE_FILE, std::move(request), {}, call.request,
        call.received, options_.budget));
    co_return reply.body.verdict() == proto::LOCK_GRANTED;
  }

  Task<> unshare(CallContext call, InodeId file, LockOwner owner) override {
    proto::ShareFileRequest request;
    request.set_inode(file.value);
    *request.mutable_owner() = to_proto(owner);
    request.set_remove(true);
    CO_TRY(co_await partitions_.call<proto::ShareFileReply>(file.partition(), proto::SHARE_FILE,
                                                            std::move(request), {}, call.request,
                                                            call.received, options_.budget));
    co_return Result<>{};
  }

  Task<> release_client(std::string address, std::string name, uint32_t state) override {
    const cluster::MapPtr map = map_.get();
    if (!map) co_return fail(Errc::unavailable, "the cluster map is not here yet");
    const auto count = static_cast<uint32_t>(map->record().partitions_size());
    for (uint32_t first = 0; first < count;) {
      std::vector<Task<>> releases;
      for (; first < count && releases.size() < options_.release_parallel; ++first) {
        proto::ReleaseLocksRequest request;
        request.set_partition(first);
        request.set_address(address);
        request.set_name(name);
        request.set_state(state);
        releases.push_back(release_in(std::move(request)));
      }
      for (auto& released : co_await when_all(std::move(releases))) CO_TRY(std::move(released));
    }
    co_return Result<>{};
  }

 private:
  Task<> release_in(proto::ReleaseLocksRequest request) {
    const PartitionId partition(request.partition());
    CO_TRY(co_await partitions_.call<proto::ReleaseLocksReply>(partition, proto::RELEASE_LOCKS,
                                                               std::move(request), {}, {},
                                                               clock_.now(), options_.budget));
    co_return Result<>{};
  }

  Clock& clock_;
  cluster::MapHolder& map_;
  const SessionId session_;
  const LocksOptions options_;
  meta::PartitionClient partitions_;
  meta::PartitionClient waits_;  // whose tries take as long as a wait
  uint64_t last_claim_ = 0;
};

}  // namespace

std::unique_ptr<Locks> make_array_locks(Clock& clock, rpc::Transport& transport,
                                        cluster::MapHolder& map, SessionId session,
                                        LocksOptions options) {
  return std::make_unique<ArrayLocks>(clock, transport, map, session, options);
}

}  // namespace turbine::fs
