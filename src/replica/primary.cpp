// The primary's side: a reign per term, followers brought into step, commit when all have it.
#include <algorithm>

#include "base/log.hpp"
#include "proto/rpc.pb.h"
#include "replica/ask.hpp"
#include "replica/replica.hpp"
#include "replica/replica_set.hpp"

namespace turbine::replica {
namespace {

constexpr auto kSyncPause = std::chrono::milliseconds(30);

}  // namespace

void Replica::begin_reign() {
  role_ = Role::primary;
  reign_since_ = set_.seams().clock.now();
  base_ = log_.last();
  if (gap_at_ != Lsn{}) {
    for (const uint32_t member : config_.replicas()) {
      const BladeId blade(member);
      if (blade != set_.options().self && set_.seams().map.get()->alive(blade)) {
        overtaken_by_ = blade;
      }
    }
    log::error("partition {}: the journal lacks entries before {}{}", id_, gap_at_,
               overtaken_by_ == BladeId{} ? ", and no other replica lives" : "");
  }
  const auto old = std::exchange(followers_, {});
  for (const uint32_t id : config_.replicas()) {
    const BladeId blade(id);
    if (blade == set_.options().self) continue;
    Follower& follower = followers_[blade];
    follower.in_sync = follower.counts = true;
    follower.counts_since = follower.moved_at = reign_since_;
    // Who granted a lease to this blade keeps its word through the terms of this blade.
    const auto known = old.find(blade);
    if (known != old.end()) follower.lease_until = known->second.lease_until;
    set_.gate().spawn("follow", follow(shared_from_this(), reign_, blade));
  }
  advance();
}

Follower* Replica::follower(uint64_t reign, BladeId blade) {
  if (reign != reign_ || role_ != Role::primary) return nullptr;
  const auto found = followers_.find(blade);
  return found == followers_.end() ? nullptr : &found->second;
}

// --- in step ---------------------------------------------------------------------------------

Task<> Replica::follow(std::shared_ptr<Replica> self, uint64_t reign, BladeId blade) {
  while (self->follower(reign, blade) != nullptr) {
    const Result<Synced> synced = co_await sync(self, reign, blade);
    if (synced.ok()) {
      Follower* follower = self->follower(reign, blade);
      if (follower != nullptr && *synced == Synced::needs_state) {
        log::error(
            "partition {}: blade {} is in sync by the map, but lacks entries that were "
            "acknowledged: it is dropped and gets everything again",
            self->id_, blade);
        follower->lost = true;
      }
      co_return Result<>{};
    }
    CO_TRY(co_await self->set_.seams().clock.sleep_for(kSyncPause));
  }
  co_return Result<>{};
}

Task<Replica::Synced> Replica::sync(std::shared_ptr<Replica> self, uint64_t reign, BladeId blade) {
  const Duration patience = self->set_.options().call;
  proto::ReplicaStateRequest question;
  question.set_partition(self->id_.value);
  question.set_term(self->config_.term());
  question.set_blade(self->set_.options().self.value);
  const auto there = CO_TRY(co_await ask<proto::ReplicaStateReply>(
      self->set_.seams(), blade, proto::REPLICA_STATE, std::move(question), patience));
  const auto gone = [&] { return fail(Errc::closed, "another term has begun"); };
  Follower* follower = self->follower(reign, blade);
  if (follower == nullptr) co_return gone();
  const Log& log = self->log_;
  const Lsn applied(there.applied_lsn());
  const Lsn last(applied.value + static_cast<uint64_t>(there.tail_terms_size()));
  if (applied > log.last()) {
    if (follower->in_sync) self->overtaken_by_ = blade;
    co_return fail(Errc::corrupt,
                   "partition {}: blade {} has applied {}, the primary's log ends at {}", self->id_,
                   blade, applied, log.last());
  }
  // What is applied was committed, so it is the same here. In sync, so is all that is applied here.
  Lsn common = applied;
  if (follower->in_sync && common.value + 1 < log.first().value) {
    common = Lsn(log.first().value - 1);
  }
  if (common > last || common.value + 1 < log.first().value) co_return Synced::needs_state;
  while (common < std::min(last, log.last())) {
    const Lsn next(common.value + 1);
    const auto index = static_cast<int>(next.value - applied.value - 1);
    if (log.at(next).term.value != there.tail_terms(index)) break;
    common = next;
  }
  proto::ReplicaSyncRequest cut;
  cut.set_partition(self->id_.value);
  cut.set_term(self->config_.term());
  cut.set_blade(self->set_.options().self.value);
  follower->next = Lsn(common.value + 1);
  follower->syncing = true;  // what follows is kept for it
  const uint64_t number = ++self->last_number_;
  cut.set_number(number);
  cut.set_cut_after(common.value);
  const auto done = co_await ask<proto::ReplicaSyncReply>(
      self->set_.seams(), blade, proto::REPLICA_SYNC, std::move(cut), patience);
  follower = self->follower(reign, blade);
  if (follower == nullptr) co_return gone();
  follower->syncing = false;
  if (!done.ok()) co_return fail(done.error());
  follower->synced = true;
  follower->number = number;
  follower->durable = common;
  self->set_.stream(blade, self->id_);
  self->advance();
  co_return Synced::yes;
}

bool Replica::next_run(BladeId blade, uint64_t bytes_max, proto::ReplicaRun* run,
                       std::vector<std::shared_ptr<const std::string>>* payloads) {
  Follower* follower = this->follower(reign_, blade);
  if (follower == nullptr || !follower->synced) return false;
  if (follower->next < log_.first()) {
    // A joiner so slow that what it lacks is no longer kept: it has to start again with the state.
    follower->synced = false;
    return false;
  }
  if (!log_.holds(follower->next)) return false;
  run->set_partition(id_.value);
  run->set_term(config_.term());
  run->set_number(follower->number);
  run->set_first_lsn(follower->next.value);
  run->set_committed_lsn(committed_.value);
  uint64_t bytes = 0;
  while (log_.holds(follower->next) && bytes < bytes_max) {
    const Entry& entry = log_.at(follower->next);
    run->add_terms(entry.term.value);
    run->add_sizes(static_cast<uint32_t>(entry.payload->size()));
    payloads->push_back(entry.payload);
    bytes += entry.payload->size();
    ++follower->next.value;
  }
  return true;
}

void Replica::run_answered(BladeId blade, const proto::ReplicaRun& run,
                           const proto::ReplicaRunReply& reply) {
  Follower* follower = this->follower(reign_, blade);
  if (follower == nullptr || run.term() != config_.term() || run.number() != follower->number) {
    return;
  }
  if (reply.error_code() == 0) {
    follower->durable = std::max(follower->durable, Lsn(reply.durable_lsn()));
    follower->moved_at = set_.seams().clock.now();
    advance();
    return;
  }
  out_of_step(blade, term(), run.number());
}

void Replica::out_of_step(BladeId blade, Term term, uint64_t number) {
  Follower* follower = this->follower(reign_, blade);
  if (follower == nullptr || term != this->term() || number != follower->number) return;
  if (!std::exchange(follower->synced, false)) return;
  // A joiner is looked after by join().
  if (follower->in_sync) set_.gate().spawn("follow", follow(shared_from_this(), reign_, blade));
}

// --- commit ----------------------------------------------------------------------------------

Task<> Replica::append(std::string payload) {
  const Term term = this->term();
  const Lsn lsn = next_lsn();
  Task<journal::Position> appended =
      log_entry(term, std::make_shared<const std::string>(std::move(payload)));
  for (const auto& [blade, follower] : followers_) {
    if (follower.synced) set_.stream(blade, id_);
  }
  return watch_durable(shared_from_this(), std::move(appended), lsn, term);
}

void Replica::advance() {
  if (role_ != Role::primary || stopped_) return;
  Lsn limit = durable_;
  for (const auto& [blade, follower] : followers_) {
    if (!follower.counts || set_.options().plant.apply_early) continue;
    if (!follower.synced) return;
    limit = std::min(limit, follower.durable);
  }
  committed_ = std::max(committed_, limit);
  apply_committed();
  if (leading_ || (committed_ < base_ && !set_.options().plant.serve_early)) return;
  leading_ = true;
  const Result<> led = machine_->lead(*this);
  if (!led.ok()) set_.fail_with(led.error());
}

bool Replica::answerable() const {
  if (role_ != Role::primary || !leading_ || stopped_) return false;
  if (set_.options().plant.read_without_lease) return true;
  if (committed_ < base_) return false;
  const TimePoint now = set_.seams().clock.now();
  return std::ranges::all_of(followers_, [&](const auto& each) {
    return !each.second.counts || (each.second.synced && each.second.lease_until > now);
  });
}

void Replica::lease_granted(BladeId blade, Term term, TimePoint until) {
  Follower* follower = this->follower(reign_, blade);
  if (follower == nullptr || term.value != config_.term()) return;
  follower->lease_until = std::max(follower->lease_until, until);
}

}  // namespace turbine::replica
