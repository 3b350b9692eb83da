// What both roles share: the log in the journal, configurations, commit and apply.
#include "replica/replica.hpp"

#include <algorithm>
#include <limits>

#include "base/log.hpp"
#include "proto/meta_log.pb.h"
#include "replica/replica_set.hpp"

namespace turbine::replica {
namespace {

constexpr uint64_t kAppliedPerTurn = 8;

}  // namespace

Replica::Replica(ReplicaSet& set, PartitionId id, uint8_t generation)
    : set_(set),
      id_(id),
      generation_(generation),
      durable_event_(std::make_unique<Event>(set.seams().executor)),
      grown_event_(std::make_unique<Event>(set.seams().executor)) {}

void Replica::open() {
  machine_ = set_.seams().make_machine(id_, generation_);
  committed_ = machine_->applied_lsn();
  durable_ = std::max(durable_, committed_);
  if (log_.last() < committed_) log_.reset(committed_);
}

bool Replica::is_in_sync(BladeId blade) const {
  return std::ranges::find(config_.replicas(), blade.value) != config_.replicas().end();
}

proto::ReplicaLog Replica::extent() const {
  proto::ReplicaLog extent;
  extent.set_partition(id_.value);
  extent.set_last_lsn(log_.last().value);
  const bool kept = log_.last() > Lsn{} && log_.holds(log_.last());
  extent.set_last_term((kept ? log_.at(log_.last()).term : machine_->applied_term()).value);
  return extent;
}

// --- the journal -----------------------------------------------------------------------------

Result<> Replica::replay(const journal::Record& record, journal::Position position) {
  if (record.type == journal::RecordType::truncate) {
    log_.cut(Lsn(std::max(record.lsn.value - 1, machine_->applied_lsn().value)));
    durable_ = std::min(durable_, log_.last());
    if (record.lsn <= gap_at_) gap_at_ = Lsn{};  // of an earlier life
    return {};
  }
  if (record.type != journal::RecordType::entry || record.lsn <= machine_->applied_lsn()) return {};
  // An entry that was copied forward, or follows a gap that a state from another replica filled.
  if (log_.holds(record.lsn)) log_.cut(Lsn(record.lsn.value - 1));
  if (record.lsn != next_lsn()) {
    if (gap_at_ == Lsn{}) gap_at_ = record.lsn;
    return {};
  }
  Entry entry{record.lsn, record.term, std::make_shared<const std::string>(record.payload)};
  entry.before = entry.position = position;
  entry.durable = true;
  proto::LogEntry content;
  if (!content.ParseFromString(record.payload)) {
    return fail(Errc::corrupt, "partition {}: log entry {} does not parse", id_, record.lsn);
  }
  log_.append(std::move(entry));
  durable_ = log_.last();
  // What it says is committed came from its primary, whose log this one was a part of.
  committed_ = std::max(committed_, std::min(Lsn(content.committed_lsn()), log_.last()));
  apply_committed();
  return {};
}

Task<journal::Position> Replica::log_entry(Term term, std::shared_ptr<const std::string> payload) {
  Entry entry{next_lsn(), term, std::move(payload)};
  entry.before = set_.journal().end();
  if (durable_ == log_.last()) durable_at_ = set_.seams().clock.now();
  const journal::RecordView record(journal::RecordType::entry, id_, term, entry.lsn,
                                   *entry.payload);
  Task<journal::Position> appended = set_.journal().append(record);
  log_.append(std::move(entry));
  return appended;
}

void Replica::on_durable(Lsn lsn, Term term, journal::Position position) {
  if (!log_.holds(lsn) || log_.at(lsn).term != term) return;
  log_.at(lsn).durable = true;
  log_.at(lsn).position = position;
  while (log_.holds(Lsn(durable_.value + 1)) && log_.at(Lsn(durable_.value + 1)).durable) {
    ++durable_.value;
  }
  durable_at_ = set_.seams().clock.now();
  durable_event_->notify_all();
  if (role_ == Role::primary) {
    advance();
  } else {
    apply_soon();
  }
}

Task<> Replica::watch_durable(std::shared_ptr<Replica> self, Task<journal::Position> appended,
                              Lsn lsn, Term term) {
  const Result<journal::Position> position = co_await std::move(appended);
  if (!position.ok()) {
    self->set_.fail_with(position.error());
    co_return fail(position.error());
  }
  self->on_durable(lsn, term, *position);
  co_return Result<>{};
}

std::optional<TimePoint> Replica::journal_stuck_since() const {
  if (durable_ == log_.last()) return std::nullopt;
  return durable_at_;
}

journal::Position Replica::unapplied_from(journal::Position end) const {
  const Lsn next(machine_->applied_lsn().value + 1);
  return log_.holds(next) ? std::min(end, log_.at(next).before) : end;
}

/// All in one go: at a replay each copy takes the place of the entry and of what followed it, and
/// the copies of those come right after it.
void Replica::carry_forward() {
  if (carried_ > 0) return;
  for (Lsn lsn(machine_->applied_lsn().value + 1); log_.holds(lsn); ++lsn.value) {
    if (!log_.at(lsn).durable) return;
  }
  for (Lsn lsn(machine_->applied_lsn().value + 1); log_.holds(lsn); ++lsn.value) {
    const Entry& entry = log_.at(lsn);
    const journal::Position before = set_.journal().end();
    ++carried_;
    set_.gate().spawn("carry forward",
                      carry_entry(shared_from_this(),
                                  set_.journal().append({journal::RecordType::entry, id_,
                                                         entry.term, lsn, *entry.payload}),
                                  before, lsn, entry.term));
  }
}

Task<> Replica::carry_entry(std::shared_ptr<Replica> self, Task<journal::Position> appended,
                            journal::Position before, Lsn lsn, Term term) {
  const Result<journal::Position> position = co_await std::move(appended);
  --self->carried_;
  if (!position.ok()) {
    self->set_.fail_with(position.error());
    co_return fail(position.error());
  }
  if (self->log_.holds(lsn) && self->log_.at(lsn).term == term) {
    self->log_.at(lsn).before = before;
    self->log_.at(lsn).position = *position;
  }
  co_return Result<>{};
}

// --- commit and apply ------------------------------------------------------------------------

void Replica::apply_committed() {
  apply_some(std::numeric_limits<uint64_t>::max());
}

bool Replica::apply_some(uint64_t count) {
  if (stopped_) return false;  // its rows may be gone
  const Lsn limit = std::min({committed_, log_.last(), durable_});
  for (; machine_->applied_lsn() < limit; --count) {
    if (count == 0) return true;
    const Lsn next(machine_->applied_lsn().value + 1);
    if (!log_.holds(next)) return false;
    const Result<> applied = machine_->apply(log_.at(next));
    if (!applied.ok()) {
      set_.fail_with(applied.error());
      return false;
    }
  }
  trim();
  return false;
}

void Replica::apply_soon() {
  if (std::min(committed_, durable_) <= machine_->applied_lsn()) return;
  if (std::exchange(applying_, true)) return;
  set_.gate().spawn("apply", apply_in_turns(shared_from_this()));
}

Task<> Replica::apply_in_turns(std::shared_ptr<Replica> self) {
  UseAwaitable token;
  do {
    co_await asio::post(self->set_.seams().executor, token);
  } while (self->apply_some(kAppliedPerTurn +
                            (self->log_.last().value - self->machine_->applied_lsn().value) / 8));
  self->applying_ = false;
  co_return Result<>{};
}

void Replica::trim() {
  Lsn needed = next_lsn();
  for (const auto& [blade, follower] : followers_) {
    if (log_.kept_bytes() >= set_.options().joiner_log_bytes_max) continue;
    if (follower.synced) needed = std::min(needed, Lsn(follower.durable.value + 1));
    if (follower.syncing) needed = std::min(needed, follower.next);
  }
  log_.trim(machine_->applied_lsn(), needed);
}

void Replica::note_committed(Lsn committed) {
  committed_ = std::max(committed_, std::min(committed, log_.last()));
  apply_soon();
}

// --- configurations --------------------------------------------------------------------------

void Replica::learn(const proto::Partition& config) {
  if (stopped_ || config.term() < config_.term()) return;
  if (config.term() == config_.term()) {
    *config_.mutable_wanted() = config.wanted();
    return;
  }
  if (set_.options().plant.cut_on_restart && config_.term() == 0) {
    log_.cut(machine_->applied_lsn());
    durable_ = log_.last();
  }
  config_ = config;
  if (config_.replicas().empty()) config_.add_replicas(config.primary());
  ++reign_;
  joining_ = false;
  overtaken_by_ = BladeId{};
  transfers_.clear();
  durable_event_->notify_all();
  if (config_.primary() == set_.options().self.value) {
    begin_reign();
    return;
  }
  if (role_ == Role::primary) step_down({Errc::timeout, "the partition has another primary"});
  role_ = is_in_sync(set_.options().self) ? Role::member : Role::none;
  // The new primary gets as much time to be heard as one that was heard just now.
  granted_until_ = set_.seams().clock.now() + set_.options().grace;
}

void Replica::step_down(const Error& why) {
  followers_.clear();
  role_ = Role::none;
  if (!std::exchange(leading_, false)) return;
  machine_->step_down(why);
  // Who still holds the old one finds it stopped.
  machine_ = set_.seams().make_machine(id_, generation_);
}

void Replica::stop(const Error& why) {
  stopped_ = true;
  ++reign_;
  durable_event_->notify_all();
  followers_.clear();
  role_ = Role::none;
  if (std::exchange(leading_, false)) machine_->step_down(why);
}

}  // namespace turbine::replica
