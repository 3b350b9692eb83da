// What clients ask of a primary: writes, or one range of stripe ids with one id in it, which two
// sessions want. Requests repeat and come late: each may come at any time, of either session.
#include "model/replication.hpp"

namespace turbine::model {
namespace {

using State = ReplicationState;

Move<ReplicationStep> move(ReplicationStep step, int a, int b = 0) {
  return {step, static_cast<uint8_t>(a), static_cast<uint8_t>(b)};
}

/// The range as a prefix of a log leaves it.
struct Range {
  bool leased = false;
  int owner = 0;
  bool spent = false;
  bool ended = false;
};

Range range_after(const uint8_t* log, int length) {
  Range range;
  for (int slot = 0; slot < length; ++slot) {
    switch (op_of(log[slot])) {
      case RangeOp::write:
        break;
      case RangeOp::lease:
        range.leased = true;
        range.owner = session_of(log[slot]);
        break;
      case RangeOp::spend:
        range.spent = true;
        break;
      case RangeOp::end:
        range.ended = true;
        break;
    }
  }
  return range;
}

const char* broken_range(const State& state) {
  if (state.range_holders == 0b11) return "two sessions hold one range";
  Range range;
  for (int slot = 0; slot < kSlots && state.acknowledged[slot] != 0; ++slot) {
    const uint8_t entry = state.acknowledged[slot];
    if (op_of(entry) == RangeOp::spend) {
      if (range.spent) return "an id committed twice";
      if (range.ended) return "an id committed after its range ended";
      if (!range.leased || range.owner != session_of(entry)) {
        return "an id committed by a session that does not hold its range";
      }
    }
    range = range_after(state.acknowledged, slot + 1);
  }
  if (state.collected && range.spent) return "the shards of a committed id were collected";
  return nullptr;
}

}  // namespace

const char* broken_invariant(const State& state, bool ranges) {
  for (int slot = 0; slot < kSlots; ++slot) {
    if (state.acknowledged[slot] == 0) continue;
    for (int r = 0; r < kReplicas; ++r) {
      if (!is_member(state, state.latest_term, r)) continue;
      const Replica& member = state.replicas[r];
      if (member.length <= slot || member.log[slot] != state.acknowledged[slot]) {
        return "an in-sync member lacks an acknowledged entry";
      }
    }
  }
  for (int a = 0; a < kReplicas; ++a) {
    for (int b = a + 1; b < kReplicas; ++b) {
      if (is_primary(state, a) && is_primary(state, b) &&
          state.replicas[a].term == state.replicas[b].term) {
        return "two primaries in one term";
      }
    }
  }
  return ranges ? broken_range(state) : nullptr;
}

void Replication::propose(const State& state, int r, uint8_t entry, Move<Step> how,
                          const Emit& emit) const {
  State next = state;
  Replica& self = next.replicas[r];
  self.log[self.length] = entry;
  next.proposed[self.term][self.length] = entry;
  ++self.length;
  ++next.proposals;
  if (op_of(entry) == RangeOp::lease && without(Rule::lease_answered_committed)) {
    next.range_holders |= bit(session_of(entry));
  }
  const char* broken = nullptr;
  if (ackers(state, r) == 0) broken = commit_up_to(next, r, self.length);
  go(next, how, emit, broken);
}

void Replication::clients(const State& state, int r, const Emit& emit) const {
  if (!serving(state, r)) return;
  if (bounds_.ranges) {
    ranges(state, r, emit);
  } else if (state.proposals < bounds_.proposals && state.replicas[r].length < kSlots) {
    propose(state, r, make_entry(RangeOp::write, 0, state.proposals + 1), move(Step::propose, r),
            emit);
  }
}

// A request takes its locks, checks the committed state, and logs one entry.
void Replication::ranges(const State& state, int r, const Emit& emit) const {
  const Replica& self = state.replicas[r];
  const Range range = range_after(self.log, self.committed);
  const Range logged = range_after(self.log, self.length);
  const bool end_known = without(Rule::collect_after_end_committed) ? logged.ended : range.ended;
  if (end_known && !range.spent && !state.collected) {
    State next = state;
    next.collected = 1;
    go(next, move(Step::collect, r), emit);
  }
  if (state.proposals >= bounds_.proposals || self.length >= kSlots) return;
  // There is one range and one id: any entry of this primary on its way holds the locks. Those of
  // the base hold none, as no request brought them here.
  const int first = state.bases[self.term].length;
  const bool locked = self.length > self.committed && self.length > first;
  if (locked && !without(Rule::range_locks)) return;
  const int ordinal = state.proposals + 1;
  for (int session = 0; session < 2; ++session) {
    if (!range.leased) {
      propose(state, r, make_entry(RangeOp::lease, session, ordinal),
              move(Step::propose_lease, r, session), emit);
    }
    // A session that was never told of a range may still name its ids, by mistake or by malice.
    const bool live = range.leased && !range.ended;
    const bool owner = range.leased && range.owner == session;
    if ((live || without(Rule::range_live)) && (owner || without(Rule::range_owner)) &&
        (!range.spent || without(Rule::id_once))) {
      propose(state, r, make_entry(RangeOp::spend, session, ordinal),
              move(Step::propose_spend, r, session), emit);
    }
  }
  if (range.leased && !range.ended) {
    propose(state, r, make_entry(RangeOp::end, 0, ordinal), move(Step::propose_end, r), emit);
  }
}

void Replication::entry_committed(State& state, uint8_t entry) const {
  if (op_of(entry) == RangeOp::lease) state.range_holders |= bit(session_of(entry));
}

std::string Replication::describe(Move<Step> how) {
  const std::string a = std::to_string(how.a), b = std::to_string(how.b);
  switch (how.step) {
    case Step::crash:
      return "replica " + a + " crashes";
    case Step::wipe:
      return "replica " + a + " crashes and loses its disk";
    case Step::restart:
      return "replica " + a + " restarts";
    case Step::learn:
      return "replica " + a + " learns term " + b;
    case Step::sync:
      return "replica " + a + " takes the base of term " + b;
    case Step::prepare:
      return "replica " + a + " is sent entry " + b;
    case Step::propose:
      return "primary " + a + " logs a write";
    case Step::commit:
      return "primary " + a + " commits up to " + b;
    case Step::ask_shrink:
      return "primary " + a + " asks the store to remove " + b;
    case Step::start_join:
      return "primary " + a + " lets " + b + " join";
    case Step::ask_join:
      return "primary " + a + " asks the store to add " + b;
    case Step::grant:
      return "replica " + a + " grants a lease to " + b;
    case Step::read:
      return "primary " + a + " answers a read";
    case Step::ask_reelection:
      return "replica " + a + " asks the store to elect it again";
    case Step::ask_takeover:
      return "replica " + a + " asks the store to take over";
    case Step::store_accepts:
      return "the store accepts what " + a + " asked: term " + b;
    case Step::store_refuses:
      return "the store refuses what " + a + " asked";
    case Step::lease_ends:
      return "the lease of " + a + " to " + b + " ends";
    case Step::propose_lease:
      return "primary " + a + " logs the lease of session " + b;
    case Step::propose_spend:
      return "primary " + a + " logs the id for session " + b;
    case Step::propose_end:
      return "primary " + a + " logs the end of the range";
    case Step::collect:
      return "primary " + a + " has the unspent id's shards collected";
    case Step::count:
      break;
  }
  return "?";
}

}  // namespace turbine::model
