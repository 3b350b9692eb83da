// What primaries do, and who becomes one.
#include <algorithm>
#include <cstring>

#include "model/replication.hpp"

namespace turbine::model {
namespace {

using State = ReplicationState;

Move<ReplicationStep> move(ReplicationStep step, int a, int b = 0) {
  return {step, static_cast<uint8_t>(a), static_cast<uint8_t>(b)};
}

Change change_from(const State& state, int r, uint8_t in_sync) {
  const uint8_t term = state.replicas[r].term;
  Change change;
  change.pending = 1;
  change.old_term = term;
  change.wanted = {.primary = static_cast<uint8_t>(r),
                   .in_sync = in_sync,
                   .incarnations = state.configurations[term].incarnations};
  return change;
}

void set_incarnation(Configuration& record, int r, bool incarnation) {
  record.incarnations =
      static_cast<uint8_t>((record.incarnations & ~bit(r)) | (incarnation ? bit(r) : uint8_t{0}));
}

uint8_t others(const State& state, int r) {
  return state.configurations[state.replicas[r].term].in_sync & ~bit(r);
}

uint8_t joiner_of(const Replica& self) {
  return self.joiner ? bit(self.joiner - 1) : uint8_t{0};
}

}  // namespace

uint8_t Replication::ackers(const State& state, int r) const {
  const Replica& self = state.replicas[r];
  uint8_t needed = others(state, r);
  if (!without(Rule::joiner_acks)) needed |= joiner_of(self);
  if (without(Rule::acks_until_shrink_learned) && state.changes[r].pending) {
    needed &= state.changes[r].wanted.in_sync;
  }
  return needed;
}

uint8_t Replication::lessors(const State& state, int r) const {
  const uint8_t joiner = without(Rule::joiner_lease) ? 0 : joiner_of(state.replicas[r]);
  return others(state, r) | joiner;
}

bool Replication::reconciled(const State& state, int r) const {
  if (without(Rule::reconciliation)) return true;
  const int term = state.replicas[r].term;
  const uint8_t needed = others(state, r);
  for (int member = 0; member < kReplicas; ++member) {
    if (!has(needed, member)) continue;
    if (!has(state.ack_sent[term], member)) return false;
    if (state.acked[term][member] < state.bases[term].length) return false;
  }
  return true;
}

bool Replication::serving(const State& state, int r) const {
  if (!reconciled(state, r)) return false;
  if (without(Rule::serve_after_base_committed) || without(Rule::reconciliation)) return true;
  const Replica& self = state.replicas[r];
  return self.committed >= state.bases[self.term].length;
}

const char* Replication::commit_up_to(State& state, int r, int length) const {
  Replica& self = state.replicas[r];
  const char* broken = nullptr;
  for (int at = self.committed; at < length; ++at) {
    const uint8_t entry = self.log[at];
    uint8_t& known = state.acknowledged[at];
    if (known != 0 && known != entry) broken = "two entries committed at one position";
    known = entry;
    entry_committed(state, entry);
    self.committed = static_cast<uint8_t>(at + 1);
  }
  return broken;
}

// BECOME PRIMARY: its whole log is the base of the term. Once per term: a primary that restarts
// has itself elected again.
void Replication::take_role(State& state, int r) const {
  Replica& self = state.replicas[r];
  Base& base = state.bases[self.term];
  if (state.configurations[self.term].primary != r || base.sent) return;
  if (!is_member(state, self.term, r)) return;
  self.leading = self.synced = 1;
  base.sent = 1;
  base.length = self.length;
  std::memcpy(base.log, self.log, kSlots);
  // The base is its own log: no position can differ from what it committed before.
  if (others(state, r) == 0) (void)commit_up_to(state, r, self.length);
}

void Replication::advance_commit(const State& state, int r, const Emit& emit) const {
  const Replica& self = state.replicas[r];
  const uint8_t needed = ackers(state, r);
  int length = self.length;
  for (int member = 0; member < kReplicas; ++member) {
    if (!has(needed, member)) continue;
    const bool sent = has(state.ack_sent[self.term], member);
    length = std::min<int>(length, sent ? state.acked[self.term][member] : 0);
  }
  if (length <= self.committed || !reconciled(state, r)) return;
  State next = state;
  const char* broken = commit_up_to(next, r, length);
  go(next, move(Step::commit, r, length), emit, broken);
}

void Replication::change_members(const State& state, int r, const Emit& emit) const {
  if (state.changes[r].pending) return;
  const Replica& self = state.replicas[r];
  const uint8_t in_sync = state.configurations[self.term].in_sync;
  for (int other = 0; other < kReplicas; ++other) {
    if (other == r) continue;
    State next = state;
    if (has(in_sync, other)) {
      next.changes[r] = change_from(state, r, in_sync & ~bit(other));
      go(next, move(Step::ask_shrink, r, other), emit);
    } else if (!self.joiner && serving(state, r)) {
      next.replicas[r].joiner = static_cast<uint8_t>(1 + other);
      go(next, move(Step::start_join, r, other), emit);
    }
  }
  if (!self.joiner) return;
  const int joiner = self.joiner - 1;
  const bool acked = has(state.ack_sent[self.term], joiner);
  const uint8_t length = state.acked[self.term][joiner];
  bool caught_up = acked && length == self.length;
  if (without(Rule::joiner_acks)) caught_up = acked && length >= self.committed;
  if (without(Rule::joiner_caught_up)) caught_up = true;
  if (!caught_up) return;
  State next = state;
  Change& change = next.changes[r];
  change = change_from(state, r, in_sync | bit(joiner));
  set_incarnation(change.wanted, joiner,
                  without(Rule::joiner_caught_up) ? state.replicas[joiner].incarnation != 0
                                                  : has(state.ack_incarnations[self.term], joiner));
  if (without(Rule::joiner_incarnation)) {
    set_incarnation(change.wanted, joiner, false);
    change.incarnation_at_store = 1;
  }
  go(next, move(Step::ask_join, r, joiner), emit);
}

void Replication::grant_and_read(const State& state, int r, const Emit& emit) const {
  const Replica& self = state.replicas[r];
  const uint8_t needed = lessors(state, r);
  for (int member = 0; member < kReplicas; ++member) {
    const Replica& lessor = state.replicas[member];
    if (!has(needed, member) || has(state.leases[r], member)) continue;
    if (!lessor.alive || lessor.term != self.term) continue;
    if (lessor.took_over && !without(Rule::no_lease_after_takeover)) continue;
    State next = state;
    next.leases[r] |= bit(member);
    go(next, move(Step::grant, member, r), emit);
  }
  const bool leased = (state.leases[r] & needed) == needed || without(Rule::read_lease);
  if (!leased || !serving(state, r)) return;
  const char* broken = nullptr;
  for (int slot = self.committed; slot < kSlots; ++slot) {
    if (state.acknowledged[slot] != 0) broken = "a primary reads without an acknowledged entry";
  }
  go(state, move(Step::read, r), emit, broken);
}

void Replication::become_primary(const State& state, int r, const Emit& emit) const {
  const Replica& self = state.replicas[r];
  const Configuration& record = state.configurations[self.term];
  if (self.term == 0 || state.changes[r].pending) return;
  State next = state;
  if (record.primary == r) {
    if (self.leading || !is_member(state, self.term, r) || !state.bases[self.term].sent) return;
    next.changes[r] = change_from(state, r, record.in_sync);
    go(next, move(Step::ask_reelection, r), emit);
    return;
  }
  const bool unclean = without(Rule::takeover_in_sync_only);
  if (!unclean && !is_member(state, self.term, r)) return;
  bool granted = false;
  for (int primary = 0; primary < kReplicas; ++primary) {
    if (without(Rule::grants_to_anyone) && primary != record.primary) continue;
    granted = granted || has(state.leases[primary], r);
  }
  if (granted && !without(Rule::grace_outlasts_lease)) return;
  next.replicas[r].took_over = 1;
  next.changes[r] =
      change_from(state, r, static_cast<uint8_t>((record.in_sync | bit(r)) & ~bit(record.primary)));
  if (unclean) set_incarnation(next.changes[r].wanted, r, self.incarnation != 0);
  go(next, move(Step::ask_takeover, r), emit);
}

}  // namespace turbine::model
