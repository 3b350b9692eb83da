// The rules of the protocols, each of which can be left out by name: a planted mistake.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

namespace turbine::model {

enum class Rule : uint8_t {
  // Replication.
  acks_until_shrink_learned,  // a removed member's acks count until the removal is known
  term_check,                 // members refuse messages of lower terms
  compare_and_swap,           // the record changes only from the term the issuer knew
  takeover_in_sync_only,      // only an in-sync member takes over
  joiner_acks,                // entries wait for the joiner's ack too
  joiner_caught_up,           // a joiner is admitted when it has the whole log
  joiner_incarnation,         // and only as the incarnation that caught up
  blank_disk_new_identity,    // a replaced disk is nobody's member
  keep_log_on_restart,        // nothing is truncated to the own commit point
  truncate_to_base,           // SYNC drops what the base lacks
  reconciliation,             // every member acks the base before the primary serves
  serve_after_base_committed,
  read_lease,            // reads need leases
  grace_outlasts_lease,  // a member with an unexpired grant does not take over
  no_lease_after_takeover,
  restart_reads_record,  // a restart learns the record in the transaction that registers it
  session_fence,         // a restart voids what the process before it sent to the store
  joiner_lease,          // reads need the joiner's lease too
  grants_to_anyone,      // grants to former primaries also keep from taking over
  // Stripe id ranges.
  range_live,                // an id of an ended range is refused
  range_owner,               // an id is committed by the session that leased its range
  id_once,                   // an id is spent once
  range_locks,               // requests on one id or range wait for entries on their way
  lease_answered_committed,  // a range is handed out when its entry is committed
  collect_after_end_committed,
  // Transactions over two partitions.
  outcome_tombstone,           // "aborted" is logged before it is answered
  tombstone_committed_first,   // and committed
  outcome_waits_for_decision,  // no answer while a decision is being logged
  record_blocks_decision,      // one record per transaction, the first stays
  abort_tombstone,             // the coordinator's own abort is logged, if a retry may join
  decision_committed_first,    // nobody is told before the decision is committed
  decision_kept_until_known,   // it is deleted when the participant has acknowledged it
  intent_committed_first,      // a vote is given when the intent is committed
  in_doubt_asks,               // a prepared participant never aborts by itself
  ended_blocks_prepare,        // a late prepare of an ended transaction is refused
  ended_in_log,                // the participant knows it after a fail-over too
  count
};

/// As `--without` names it, e.g. "term-check".
std::string_view rule_name(Rule rule);
std::optional<Rule> rule_by_name(std::string_view name);

class Rules {
 public:
  void leave_out(Rule rule) { left_out_.set(static_cast<size_t>(rule)); }
  bool without(Rule rule) const { return left_out_.test(static_cast<size_t>(rule)); }

 private:
  std::bitset<static_cast<size_t>(Rule::count)> left_out_;
};

}  // namespace turbine::model
