// How a replica that is not in sync becomes so: state, log, answers that count, configuration.
#include <algorithm>

#include "base/log.hpp"
#include "proto/rpc.pb.h"
#include "replica/ask.hpp"
#include "replica/replica.hpp"
#include "replica/replica_set.hpp"

namespace turbine::replica {
namespace {

using std::chrono::milliseconds;

constexpr auto kPoll = milliseconds(10);
constexpr auto kAcksWait = std::chrono::seconds(10);
constexpr auto kCountedWait = std::chrono::seconds(1);  // nothing is acknowledged meanwhile
constexpr auto kDecisionWait = std::chrono::seconds(2);
constexpr uint64_t kNearlyThere = 256;  // entries

}  // namespace

Task<> Replica::join(BladeId blade) {
  joining_ = true;
  const uint64_t reign = reign_;
  return [](std::shared_ptr<Replica> self, uint64_t begun, BladeId joiner) -> Task<> {
    const Result<> joined = co_await join_steps(self, begun, joiner);
    if (begun != self->reign_) co_return Result<>{};  // another term: in sync, or again from there
    self->joining_ = false;
    // One whose configuration may have been asked for stays until that is decided (ReplicaSet).
    Follower* follower = self->follower(begun, joiner);
    if (follower != nullptr && !follower->counts) self->followers_.erase(joiner);
    if (!joined.ok()) {
      co_return fail(joined.error().within(
          fmt::format("partition {}: blade {} does not join", self->id_, joiner)));
    }
    co_return Result<>{};
  }(shared_from_this(), reign, blade);
}

Task<> Replica::join_steps(std::shared_ptr<Replica> self, uint64_t reign, BladeId blade) {
  self->followers_[blade] = Follower{};
  if (CO_TRY(co_await sync(self, reign, blade)) == Synced::needs_state) {
    CO_TRY(co_await send_state(self, reign, blade));
    if (CO_TRY(co_await sync(self, reign, blade)) == Synced::needs_state) {
      co_return fail(Errc::busy, "the log has gone on too far while the state was copied");
    }
  }
  const auto near = [&] {
    const uint64_t last = self->log_.last().value;
    return Lsn(last - std::min(last, kNearlyThere));
  };
  CO_TRY(co_await await_acks(self, reign, blade, near(), false, kAcksWait));
  Follower* follower = self->follower(reign, blade);
  if (follower == nullptr) co_return fail(Errc::closed, "another term has begun");
  // From here on nothing is acknowledged without it.
  follower->counts = true;
  follower->counts_since = follower->moved_at = self->set_.seams().clock.now();
  self->set_.send_beacons();
  const Result<> complete =
      co_await await_acks(self, reign, blade, self->log_.last(), true, kCountedWait);
  follower = self->follower(reign, blade);
  if (follower == nullptr) co_return fail(Errc::closed, "another term has begun");
  if (!complete.ok()) {
    follower->counts = false;
    self->advance();
    co_return complete;
  }
  const proto::Blade* there = self->set_.seams().map.get()->blade(blade);
  if (there == nullptr) co_return fail(Errc::unavailable, "the blade is not in the map");
  proto::PartitionChange change = self->set_.change_of(*self);
  change.add_replicas(blade.value);
  change.set_joiner_session(there->session());
  const Result<> asked = co_await self->set_.decide(std::move(change));
  const Clock& clock = self->set_.seams().clock;
  const TimePoint until = clock.now() + kDecisionWait;
  while (self->follower(reign, blade) != nullptr && clock.now() < until) {
    CO_TRY(co_await self->set_.seams().clock.sleep_for(kPoll));
  }
  co_return asked;
}

/// Waits until `blade` has the log up to `target` durably; and with `lease`, grants one.
Task<> Replica::await_acks(std::shared_ptr<Replica> self, uint64_t reign, BladeId blade, Lsn target,
                           bool lease, Duration patience) {
  Clock& clock = self->set_.seams().clock;
  const TimePoint until = clock.now() + patience;
  for (;;) {
    const Follower* follower = self->follower(reign, blade);
    if (follower == nullptr) co_return fail(Errc::closed, "another term has begun");
    if (!follower->synced) co_return fail(Errc::unavailable, "it does not take the log");
    const bool leased = !lease || follower->lease_until > clock.now();
    if (follower->durable >= target && leased) co_return Result<>{};
    if (clock.now() > until) co_return fail(Errc::timeout, "it does not keep up with the log");
    CO_TRY(co_await clock.sleep_for(kPoll));
  }
}

Task<> Replica::send_state(std::shared_ptr<Replica> self, uint64_t reign, BladeId blade) {
  const Options& options = self->set_.options();
  const auto [first, end] = self->machine_->rows();
  // A snapshot, with the state's own record of what is applied.
  const std::unique_ptr<kv::Iterator> rows = self->set_.seams().kv.scan(first, end);
  const Lsn applied = self->machine_->applied_lsn();
  if (Follower* joiner = self->follower(reign, blade); joiner != nullptr) {
    joiner->next = Lsn(applied.value + 1);
    joiner->syncing = true;  // what follows is kept for it
  }
  const uint64_t transfer = self->set_.seams().rng.next();
  uint64_t sent = 0;
  for (uint32_t part = 0;; ++part) {
    if (self->follower(reign, blade) == nullptr) {
      co_return fail(Errc::closed, "another term has begun");
    }
    proto::ReplicaSnapshotRequest request;
    request.set_partition(self->id_.value);
    request.set_term(self->config_.term());
    request.set_blade(options.self.value);
    request.set_transfer(transfer);
    request.set_part(part);
    uint64_t bytes = 0;
    for (; rows->valid() && bytes < options.snapshot_part_bytes; rows->next()) {
      proto::ReplicaRow& row = *request.add_rows();
      row.set_key(std::string(rows->key().substr(first.size())));
      row.set_value(std::string(rows->value()));
      bytes += rows->key().size() + rows->value().size();
    }
    CO_TRY(rows->status());
    sent += bytes;
    const bool last = !rows->valid();
    request.set_last(last);
    request.set_applied_lsn(applied.value);
    CO_TRY(co_await ask<proto::ReplicaSnapshotReply>(self->set_.seams(), blade,
                                                     proto::REPLICA_SNAPSHOT, std::move(request),
                                                     options.snapshot_call));
    if (last) break;
  }
  log::debug("partition {}: blade {} has a copy of the state, {} bytes", self->id_, blade, sent);
  co_return Result<>{};
}

}  // namespace turbine::replica
