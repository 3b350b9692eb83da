// Replication of one partition: three replicas, their configuration in the cluster store, crashes,
// replaced disks, and clients that write, or that lease and spend stripe ids.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "model/explorer.hpp"
#include "model/replication_state.hpp"
#include "model/rules.hpp"

namespace turbine::model {

struct ReplicationBounds {
  int terms = 3;      // at most kTerms - 1
  int proposals = 1;  // at most kSlots
  int crashes = 0;
  int wipes = 0;            // crashes that lose the disk, among `crashes`
  uint8_t in_sync = 0b111;  // the members at the start; replica 0 is the primary
  bool ranges = false;      // clients lease and spend stripe ids instead of writing
  bool leased = false;      // session 0 holds the range at the start (position 0 of the log)
};

enum class ReplicationStep : uint8_t {
  crash,
  wipe,
  restart,
  learn,
  sync,
  prepare,
  propose,
  commit,
  ask_shrink,
  start_join,
  ask_join,
  grant,
  read,
  ask_reelection,
  ask_takeover,
  store_accepts,
  store_refuses,
  lease_ends,
  propose_lease,
  propose_spend,
  propose_end,
  collect,
  count
};

class Replication {
 public:
  using State = ReplicationState;
  using Step = ReplicationStep;
  using Emit = std::function<void(const State&, Move<Step>, const char* violation)>;

  Replication(ReplicationBounds bounds, Rules rules) : bounds_(bounds), rules_(rules) {}
  State initial() const;
  void successors(const State& state, const Emit& emit) const;
  const ReplicationBounds& bounds() const { return bounds_; }
  static std::string describe(Move<Step> move);

 private:
  bool without(Rule rule) const { return rules_.without(rule); }
  /// Checks the invariants of every state, unless the step broke one itself.
  void go(const State& next, Move<Step> move, const Emit& emit, const char* broken = nullptr) const;

  // replication.cpp: failures, messages, and the store.
  void crashes(const State& state, int r, const Emit& emit) const;
  void restart(const State& state, int r, const Emit& emit) const;
  void learn(const State& state, int r, const Emit& emit) const;
  void deliver(const State& state, int r, const Emit& emit) const;
  void store(const State& state, int r, const Emit& emit) const;

  // replication_roles.cpp: what primaries do, and who becomes one.
  void advance_commit(const State& state, int r, const Emit& emit) const;
  void change_members(const State& state, int r, const Emit& emit) const;
  void grant_and_read(const State& state, int r, const Emit& emit) const;
  void become_primary(const State& state, int r, const Emit& emit) const;
  bool reconciled(const State& state, int r) const;
  bool serving(const State& state, int r) const;
  /// Whose acks an entry needs besides the primary's own sync.
  uint8_t ackers(const State& state, int r) const;
  /// Whose leases a read needs.
  uint8_t lessors(const State& state, int r) const;
  void take_role(State& state, int r) const;
  const char* commit_up_to(State& state, int r, int length) const;

  // replication_clients.cpp: writes, and stripe ids.
  void clients(const State& state, int r, const Emit& emit) const;
  void propose(const State& state, int r, uint8_t entry, Move<Step> move, const Emit& emit) const;
  void ranges(const State& state, int r, const Emit& emit) const;
  void entry_committed(State& state, uint8_t entry) const;

  ReplicationBounds bounds_;
  Rules rules_;
};

/// The replica's role in its term, by the record it knows.
bool is_primary(const ReplicationState& state, int r);
/// Whether replica r, with the disk it has now, is an in-sync member in that term.
bool is_member(const ReplicationState& state, int term, int r);
/// The invariant that does not hold, or nullptr.
const char* broken_invariant(const ReplicationState& state, bool ranges);
/// Marks the replica's ack of its log up to `length` in its term.
void acknowledge(ReplicationState& state, int r, uint8_t length);

// Log entries. The ordinal tells entries apart that say the same.
enum class RangeOp : uint8_t { write, lease, spend, end };
constexpr uint8_t make_entry(RangeOp op, int session, int ordinal) {
  return static_cast<uint8_t>(static_cast<int>(op) << 4 | session << 3 | ordinal);
}
constexpr RangeOp op_of(uint8_t entry) {
  return static_cast<RangeOp>(entry >> 4);
}
constexpr int session_of(uint8_t entry) {
  return entry >> 3 & 1;
}

}  // namespace turbine::model
