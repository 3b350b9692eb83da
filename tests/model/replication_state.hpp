// What the model of one partition's replication remembers: three replicas, the cluster store's
// record, everything that was ever sent, and what clients were told.
//
// Messages are not queued. What was sent in a term stays there (`bases`, `proposed`, `acked`) and
// may be delivered at any later time, any number of times, or never: loss, delay, repetition and
// reordering in one.
#pragma once

#include <cstdint>

namespace turbine::model {

constexpr int kReplicas = 3;
constexpr int kTerms = 6;  // terms begin with 1
constexpr int kSlots = 3;  // log positions

/// Sets of replicas are bit masks.
constexpr uint8_t bit(int replica) {
  return static_cast<uint8_t>(1 << replica);
}
constexpr bool has(uint8_t set, int replica) {
  return (set >> replica & 1) != 0;
}

/// The record of one term. An incarnation is one bit: it flips when the disk is replaced.
struct Configuration {
  uint8_t primary = 0;
  uint8_t in_sync = 0;
  uint8_t incarnations = 0;
};

/// A compare-and-swap on its way to the store, at most one per issuer.
struct Change {
  uint8_t pending = 0;
  uint8_t old_term = 0;
  Configuration wanted;
  uint8_t incarnation_at_store = 0;  // mistake: the joiner's incarnation is looked up on arrival
};

struct Replica {
  uint8_t term = 0;    // of the configuration it knows
  uint8_t synced = 0;  // has the base of its term
  uint8_t length = 0;
  uint8_t committed = 0;  // as far as this replica knows
  uint8_t leading = 0;    // took up the primary's role in its term
  uint8_t joiner = 0;     // 1 + the replica it lets join; 0: none
  uint8_t alive = 0;
  uint8_t incarnation = 0;
  uint8_t took_over = 0;  // issued a takeover in its term
  uint8_t log[kSlots] = {};
};

/// SYNC: the log of a term's new primary.
struct Base {
  uint8_t sent = 0;
  uint8_t length = 0;
  uint8_t log[kSlots] = {};
};

struct ReplicationState {
  Configuration configurations[kTerms];
  Replica replicas[kReplicas];
  Change changes[kReplicas];
  uint8_t latest_term = 0;
  Base bases[kTerms];
  uint8_t proposed[kTerms][kSlots] = {};  // PREPARE: the entry, 0: none
  uint8_t acked[kTerms][kReplicas] = {};  // log length acknowledged in a term
  uint8_t ack_sent[kTerms] = {};          // who acknowledged anything in a term
  uint8_t ack_incarnations[kTerms] = {};  // with which incarnation
  uint8_t leases[kReplicas] = {};         // by primary: whose grants are unexpired
  uint8_t proposals = 0;                  // of clients so far
  uint8_t acknowledged[kSlots] = {};      // entries that are committed: clients may know
  uint8_t crashes = 0;
  uint8_t wipes = 0;
  uint8_t range_holders = 0;  // sessions that were told they hold the range
  uint8_t collected = 0;      // the shards of the range's unspent id were deleted
};

}  // namespace turbine::model
