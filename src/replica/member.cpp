// A member's side: grants leases, takes entries of its primary, becomes a copy of it.
#include <algorithm>

#include "base/log.hpp"
#include "replica/replica.hpp"
#include "replica/replica_set.hpp"
#include "replica/slots.hpp"

namespace turbine::replica {

proto::ReplicaStateReply Replica::state() const {
  proto::ReplicaStateReply reply;
  const Lsn applied = machine_->applied_lsn();
  reply.set_applied_lsn(applied.value);
  for (Lsn lsn(applied.value + 1); lsn <= log_.last(); ++lsn.value) {
    reply.add_tail_terms(log_.at(lsn).term.value);
  }
  return reply;
}

Task<> Replica::cut(uint64_t number, Lsn after) {
  if (numbered_term_ == term() && number <= synced_number_) {
    co_return fail(Errc::conflict, "partition {}: a late copy of an earlier message", id_);
  }
  if (after < machine_->applied_lsn() || after > log_.last()) {
    co_return fail(Errc::conflict, "partition {}: the log is to end at {}, it holds {} to {}", id_,
                   after, machine_->applied_lsn(), log_.last());
  }
  const Term term = this->term();
  synced_term_ = Term{};  // nothing is taken until this is done
  numbered_term_ = term;
  synced_number_ = number;
  log_.cut(after);
  durable_ = std::min(durable_, after);
  durable_event_->notify_all();  // who waits for what is gone
  // Durable with all that was appended before, whether something is cut or not.
  CO_TRY(co_await log_truncation(term, Lsn(after.value + 1)));
  if (this->term() != term || synced_number_ != number || log_.last() != after) {
    co_return fail(Errc::conflict, "partition {}: another term has begun", id_);
  }
  synced_term_ = term;
  co_return Result<>{};
}

Task<> Replica::log_truncation(Term term, Lsn first) {
  const auto appended =
      co_await set_.journal().append({journal::RecordType::truncate, id_, term, first, {}});
  if (!appended.ok()) {
    set_.fail_with(appended.error());
    co_return fail(appended.error());
  }
  co_return Result<>{};
}

bool Replica::lacks_before(const proto::ReplicaRun& run) const {
  return role_ != Role::primary && !stopped_ && run.term() == config_.term() &&
         synced_term_ == term() && run.number() == synced_number_ &&
         run.first_lsn() > log_.last().value + 1;
}

Task<> Replica::wait_for_run_before(proto::ReplicaRun run, TimePoint deadline) {
  Clock& clock = set_.seams().clock;
  const TimerId timer =
      clock.call_at(deadline, [self = shared_from_this()] { self->grown_event_->notify_all(); });
  while (lacks_before(run) && clock.now() < deadline) CO_TRY(co_await grown_event_->wait());
  clock.cancel(timer);
  co_return Result<>{};
}

Errc Replica::take(const proto::ReplicaRun& run, std::string_view payload, bool* appended) {
  const bool plant = set_.options().plant.ignore_terms;
  if (role_ == Role::primary || stopped_) return Errc::stale_epoch;
  if (!plant && (run.term() != config_.term() || synced_term_ != term())) return Errc::stale_epoch;
  if (!plant && run.number() != synced_number_) return Errc::conflict;
  if (run.first_lsn() > log_.last().value + 1) return Errc::conflict;
  Lsn lsn(run.first_lsn());
  for (int i = 0; i < run.terms_size(); ++i, ++lsn.value) {
    const std::string_view bytes = payload.substr(0, run.sizes(i));
    payload.remove_prefix(bytes.size());
    if (lsn <= log_.last()) continue;  // a copy; within one sync the log only grows
    const Term term(run.terms(i));
    set_.gate().spawn(
        "append",
        watch_durable(shared_from_this(),
                      log_entry(term, std::make_shared<const std::string>(bytes)), lsn, term));
    *appended = true;
  }
  grown_event_->notify_all();
  note_committed(Lsn(run.committed_lsn()));
  return Errc::ok;
}

Task<> Replica::wait_durable(Lsn lsn, Term term) {
  while (durable_ < lsn) {
    if (this->term() != term || stopped_ || log_.last() < lsn) {
      co_return fail(Errc::stale_epoch, "partition {}: another term has begun", id_);
    }
    CO_TRY(co_await durable_event_->wait());
  }
  co_return Result<>{};
}

bool Replica::grant(BladeId from, const proto::ReplicaLease& lease) {
  if (lease.term() != config_.term() || config_.primary() != from.value || stopped_) return false;
  // Who has asked for this primary's place must not let it go on.
  if (takeover_term_ == term()) return false;
  const cluster::MapPtr map = set_.seams().map.get();
  if (!map->alive(from)) return false;
  granted_until_ = set_.seams().clock.now() + set_.options().grace;
  if (synced_term_ == term()) note_committed(Lsn(lease.committed_lsn()));
  return true;
}

bool Replica::in_step(const proto::ReplicaLease& lease) const {
  return lease.term() == config_.term() && synced_term_ == term() &&
         synced_number_ == lease.number();
}

void Replica::note_takeover() {
  if (takeover_term_ != term()) takeover_in_doubt_ = false;
  takeover_term_ = term();
}

void Replica::takeover_answered(Term asked, bool certainly_not_decided) {
  if (takeover_term_ != asked) return;
  if (!certainly_not_decided) {
    takeover_in_doubt_ = true;
  } else if (!takeover_in_doubt_) {
    takeover_term_ = Term{};
  }
}

// --- a state from another replica --------------------------------------------------------------

Task<> Replica::install(proto::ReplicaSnapshotRequest request) {
  if (role_ != Role::none) {
    co_return fail(Errc::conflict, "partition {}: in sync, and offered a state", id_);
  }
  if (request.part() == 0) {
    if (!transfers_.insert(request.transfer()).second) {
      co_return fail(Errc::conflict, "partition {}: a late copy of an earlier message", id_);
    }
    transfer_ = request.transfer();
    next_part_ = 0;
  }
  if (request.transfer() != transfer_ || request.part() != next_part_) {
    co_return fail(Errc::conflict, "partition {}: part {} of a state came, {} was expected", id_,
                   request.part(), next_part_);
  }
  ++next_part_;
  const auto fresh = static_cast<uint8_t>((generation_ + 1) % kGenerations);
  kv::WriteBatch batch;
  const auto [first, end] = slot_range(id_, fresh);
  if (request.part() == 0) batch.remove_range(first, end);
  for (proto::ReplicaRow& row : *request.mutable_rows()) {
    batch.put(first + row.key(), std::move(*row.mutable_value()));
  }
  CO_TRY(set_.seams().kv.write(std::move(batch)));
  if (!request.last()) co_return Result<>{};
  // Entries of an earlier life beyond the state must not come back at a replay.
  const Term term = this->term();
  CO_TRY(co_await log_truncation(term, Lsn(request.applied_lsn() + 1)));
  if (this->term() != term || role_ != Role::none || request.transfer() != transfer_) {
    co_return fail(Errc::conflict, "partition {}: another term has begun", id_);
  }
  finish_install(request);
  co_return co_await set_.flush();
}

void Replica::finish_install(const proto::ReplicaSnapshotRequest& request) {
  const auto [old_first, old_end] = slot_range(id_, generation_);
  generation_ = static_cast<uint8_t>((generation_ + 1) % kGenerations);
  kv::WriteBatch batch;
  batch.put(generation_key(id_), std::string(1, static_cast<char>(generation_)));
  batch.remove_range(old_first, old_end);
  const Result<> written = set_.seams().kv.write(std::move(batch));
  if (!written.ok()) {
    set_.fail_with(written.error());
    return;
  }
  synced_term_ = Term{};
  gap_at_ = Lsn{};
  log_.reset(Lsn(request.applied_lsn()));
  committed_ = durable_ = log_.last();
  machine_ = set_.seams().make_machine(id_, generation_);
  if (machine_->applied_lsn() != committed_) {
    set_.fail_with({Errc::corrupt, fmt::format("partition {}: a state of entry {} came as {}", id_,
                                               machine_->applied_lsn(), committed_)});
  }
}

}  // namespace turbine::replica
