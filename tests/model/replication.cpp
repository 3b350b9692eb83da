#include "model/replication.hpp"

#include <algorithm>
#include <cstring>

namespace turbine::model {
namespace {

using State = ReplicationState;

void set_bit(uint8_t& set, int replica, bool on) {
  set = static_cast<uint8_t>(on ? set | bit(replica) : set & ~bit(replica));
}

Move<ReplicationStep> move(ReplicationStep step, int a, int b = 0) {
  return {step, static_cast<uint8_t>(a), static_cast<uint8_t>(b)};
}

}  // namespace

bool is_primary(const State& state, int r) {
  const Replica& self = state.replicas[r];
  return self.alive && self.leading && state.configurations[self.term].primary == r;
}

bool is_member(const State& state, int term, int r) {
  const Configuration& record = state.configurations[term];
  return has(record.in_sync, r) &&
         has(record.incarnations, r) == (state.replicas[r].incarnation != 0);
}

void acknowledge(State& state, int r, uint8_t length) {
  const Replica& self = state.replicas[r];
  state.acked[self.term][r] = length;
  set_bit(state.ack_sent[self.term], r, true);
  set_bit(state.ack_incarnations[self.term], r, self.incarnation != 0);
}

State Replication::initial() const {
  State state;
  state.latest_term = 1;
  state.configurations[1] = {.primary = 0, .in_sync = bounds_.in_sync, .incarnations = 0};
  state.bases[1].sent = 1;
  for (int r = 0; r < kReplicas; ++r) {
    state.replicas[r].alive = 1;
    state.replicas[r].term = 1;
    if (!has(bounds_.in_sync, r)) continue;
    state.replicas[r].synced = 1;
    if (bounds_.leased) {
      state.replicas[r].log[0] = make_entry(RangeOp::lease, 0, 0);
      state.replicas[r].length = state.replicas[r].committed = 1;
    }
    if (r != 0) acknowledge(state, r, state.replicas[r].length);
  }
  state.replicas[0].leading = 1;
  if (bounds_.leased) {
    state.bases[1].length = state.replicas[0].length;
    std::memcpy(state.bases[1].log, state.replicas[0].log, kSlots);
    state.acknowledged[0] = state.replicas[0].log[0];
    state.range_holders = bit(0);
  }
  return state;
}

void Replication::go(const State& next, Move<Step> how, const Emit& emit,
                     const char* broken) const {
  emit(next, how, broken != nullptr ? broken : broken_invariant(next, bounds_.ranges));
}

void Replication::successors(const State& state, const Emit& emit) const {
  for (int r = 0; r < kReplicas; ++r) {
    if (!state.replicas[r].alive) {
      restart(state, r, emit);
    } else {
      crashes(state, r, emit);
      learn(state, r, emit);
      deliver(state, r, emit);
      if (is_primary(state, r)) {
        clients(state, r, emit);
        advance_commit(state, r, emit);
        change_members(state, r, emit);
        grant_and_read(state, r, emit);
      }
      become_primary(state, r, emit);
    }
    store(state, r, emit);
    for (int member = 0; member < kReplicas; ++member) {
      if (!has(state.leases[r], member)) continue;
      State next = state;
      set_bit(next.leases[r], member, false);
      go(next, move(Step::lease_ends, member, r), emit);
    }
  }
}

void Replication::crashes(const State& state, int r, const Emit& emit) const {
  if (state.crashes >= bounds_.crashes) return;
  State next = state;
  ++next.crashes;
  Replica& self = next.replicas[r];
  self.alive = self.leading = self.joiner = 0;
  next.leases[r] = 0;  // what others granted to it is forgotten with it
  if (without(Rule::keep_log_on_restart)) {
    self.length = std::min(self.length, self.committed);
    std::fill(self.log + self.length, self.log + kSlots, uint8_t{0});
  }
  go(next, move(Step::crash, r), emit);
  if (state.wipes >= bounds_.wipes) return;
  ++next.wipes;
  const uint8_t incarnation = self.incarnation;
  self = Replica{};
  self.incarnation = without(Rule::blank_disk_new_identity) ? incarnation : incarnation ^ 1;
  go(next, move(Step::wipe, r), emit);
}

// START: one transaction of the store registers the new process, which voids what the one before
// left in flight, and reads the record.
void Replication::restart(const State& state, int r, const Emit& emit) const {
  State next = state;
  Replica& self = next.replicas[r];
  self.alive = 1;
  self.took_over = 0;
  if (!without(Rule::session_fence)) next.changes[r] = {};
  if (!without(Rule::restart_reads_record) && self.term < next.latest_term) {
    self.term = next.latest_term;
    self.synced = 0;
    take_role(next, r);
  }
  go(next, move(Step::restart, r), emit);
}

void Replication::learn(const State& state, int r, const Emit& emit) const {
  if (state.replicas[r].term >= state.latest_term) return;
  State next = state;
  Replica& self = next.replicas[r];
  self.term = next.latest_term;
  self.synced = self.leading = self.joiner = self.took_over = 0;
  take_role(next, r);
  go(next, move(Step::learn, r, self.term), emit);
}

void Replication::deliver(const State& state, int r, const Emit& emit) const {
  const Replica& self = state.replicas[r];
  const int first_term = without(Rule::term_check) ? 1 : self.term;
  for (int term = first_term; term <= self.term; ++term) {
    if (state.configurations[term].primary == r) continue;
    const Base& base = state.bases[term];
    if (term == self.term && base.sent && !self.synced) {
      State next = state;
      Replica& synced = next.replicas[r];
      synced.synced = 1;
      const char* broken = nullptr;
      if (synced.committed > base.length) broken = "a replica truncates below what it committed";
      if (!without(Rule::truncate_to_base) || synced.length <= base.length) {
        synced.length = base.length;
        std::memcpy(synced.log, base.log, kSlots);
      }
      acknowledge(next, r, base.length);
      go(next, move(Step::sync, r, term), emit, broken);
    }
    for (int slot = 0; slot < kSlots; ++slot) {
      if (state.proposed[term][slot] == 0 || (term == self.term && !self.synced)) continue;
      State next = state;
      if (self.length == slot) {
        next.replicas[r].log[slot] = state.proposed[term][slot];
        ++next.replicas[r].length;
      } else if (!without(Rule::truncate_to_base) || term != self.term || self.length < slot) {
        continue;  // else it takes what it has there for a repeated message
      }
      // With term_check left out the ack answers the term of the message.
      if (state.acked[term][r] >= slot + 1 && self.length != slot) continue;
      next.acked[term][r] = std::max<uint8_t>(state.acked[term][r], slot + 1);
      set_bit(next.ack_sent[term], r, true);
      set_bit(next.ack_incarnations[term], r, self.incarnation != 0);
      go(next, move(Step::prepare, r, slot), emit);
    }
  }
}

void Replication::store(const State& state, int r, const Emit& emit) const {
  const Change& change = state.changes[r];
  if (!change.pending) return;
  Configuration wanted = change.wanted;
  bool same_incarnation = true;  // the transaction also compares the joiner's registration
  const uint8_t added = wanted.in_sync & ~state.configurations[change.old_term].in_sync;
  for (int joiner = 0; joiner < kReplicas; ++joiner) {
    if (!has(added, joiner)) continue;
    const bool now = state.replicas[joiner].incarnation != 0;
    if (change.incarnation_at_store) {
      set_bit(wanted.incarnations, joiner, now);
    } else if (has(wanted.incarnations, joiner) != now) {
      same_incarnation = false;
    }
  }
  const bool unchanged = state.latest_term == change.old_term;
  State next = state;
  next.changes[r] = {};
  if (!unchanged || !same_incarnation) go(next, move(Step::store_refuses, r), emit);
  if ((unchanged || without(Rule::compare_and_swap)) && same_incarnation &&
      state.latest_term < bounds_.terms) {
    next.configurations[++next.latest_term] = wanted;
    go(next, move(Step::store_accepts, r, next.latest_term), emit);
  }
}

}  // namespace turbine::model
