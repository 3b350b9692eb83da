#include "model/scenarios.hpp"

namespace turbine::model {
namespace {

constexpr std::string_view kLost = "an in-sync member lacks an acknowledged entry";
constexpr std::string_view kStale = "a primary reads without an acknowledged entry";
constexpr std::string_view kCoordinatorOnly = "only the coordinator's half is applied";

constexpr std::string_view kTwoHolders = "two sessions hold one range";

using R = ReplicationBounds;
using T = TransactionBounds;

constexpr R kLeased{.terms = 2, .proposals = 2, .ranges = true, .leased = true};

}  // namespace

const std::vector<Scenario>& clean_scenarios() {
  static const std::vector<Scenario> scenarios = {
      {"one write, three terms, a crash", R{.terms = 3, .crashes = 1}},
      {"one write, three terms, a lost disk", R{.terms = 3, .crashes = 1, .wipes = 1}},
      {"two writes, two members of three", R{.terms = 3, .proposals = 2, .in_sync = 0b011}},
      {"stripe ids", R{.terms = 2, .proposals = 3, .ranges = true}},
      {"stripe ids, a crash", R{.terms = 2, .proposals = 3, .crashes = 1, .ranges = true}},
      {"stripe ids of a leased range, three terms",
       R{.terms = 3, .proposals = 2, .ranges = true, .leased = true}},
      {"a transaction whose retry joins", T{}},
      {"a transaction whose retry takes a fresh id", T{.retry_joins = false}},
  };
  return scenarios;
}

const std::vector<Scenario>& soak_scenarios() {
  static const std::vector<Scenario> scenarios = {
      {"one write, four terms, a crash", R{.terms = 4, .crashes = 1}},
      {"one write, four terms, a lost disk", R{.terms = 4, .crashes = 1, .wipes = 1}},
      {"two writes, three terms, a lost disk",
       R{.terms = 3, .proposals = 2, .crashes = 1, .wipes = 1}},
      {"stripe ids, three terms", R{.terms = 3, .proposals = 3, .ranges = true}},
      {"stripe ids of a leased range, three terms, a crash",
       R{.terms = 3, .proposals = 2, .crashes = 1, .ranges = true, .leased = true}},
      {"a transaction, five fail-overs each", T{5, 5, true}},
      {"a transaction, five fail-overs each, fresh ids", T{5, 5, false}},
  };
  return scenarios;
}

const std::vector<Mistake>& mistakes() {
  static const std::vector<Mistake> all = {
      {Rule::acks_until_shrink_learned, kLost, R{}},
      {Rule::term_check, kLost, R{.terms = 4}},
      {Rule::compare_and_swap, kLost, R{.terms = 4}},
      {Rule::takeover_in_sync_only, kLost, R{.terms = 3}},
      {Rule::joiner_acks, kLost, R{.terms = 4, .proposals = 2}},
      {Rule::joiner_caught_up, kLost, R{.terms = 3}},
      {Rule::joiner_incarnation, kLost, R{.terms = 3, .crashes = 1, .wipes = 1, .in_sync = 0b011}},
      {Rule::blank_disk_new_identity, kLost, R{.crashes = 1, .wipes = 1}},
      {Rule::keep_log_on_restart, kLost, R{.crashes = 1}},
      {Rule::truncate_to_base, kLost, R{.terms = 3, .proposals = 2}},
      {Rule::reconciliation, kStale, R{.terms = 3}},
      {Rule::serve_after_base_committed, kStale, R{.terms = 3}},
      {Rule::read_lease, kStale, R{.terms = 3}},
      {Rule::grace_outlasts_lease, kStale, R{.terms = 3}},
      {Rule::no_lease_after_takeover, kStale, R{.terms = 3}},
      {Rule::restart_reads_record, kStale, R{.terms = 3, .crashes = 1}},
      {Rule::session_fence, kStale, R{.terms = 3, .crashes = 1}},
      {Rule::joiner_lease, kStale, R{.terms = 3, .in_sync = 0b011}},
      {Rule::grants_to_anyone, "", R{.terms = 4}},
      {Rule::range_live, "an id committed after its range ended",
       R{.terms = 2, .proposals = 3, .ranges = true}},
      {Rule::range_owner, "an id committed by a session that does not hold its range",
       R{.terms = 2, .proposals = 3, .ranges = true}},
      {Rule::id_once, "an id committed twice", R{.terms = 2, .proposals = 3, .ranges = true}},
      {Rule::range_locks, kTwoHolders, R{.terms = 2, .proposals = 3, .ranges = true}},
      {Rule::range_locks, "an id committed twice", kLeased},
      {Rule::lease_answered_committed, kTwoHolders, R{.terms = 2, .proposals = 3, .ranges = true}},
      {Rule::collect_after_end_committed, "the shards of a committed id were collected",
       R{.terms = 2, .proposals = 3, .ranges = true}},
      {Rule::serve_after_base_committed, "an id committed twice", kLeased},
      {Rule::outcome_tombstone, kCoordinatorOnly, T{}},
      {Rule::tombstone_committed_first, kCoordinatorOnly, T{}},
      {Rule::outcome_waits_for_decision, kCoordinatorOnly, T{}},
      {Rule::record_blocks_decision, kCoordinatorOnly, T{}},
      {Rule::abort_tombstone, kCoordinatorOnly, T{}},
      {Rule::decision_committed_first, "a client was told of a commit that is not", T{}},
      {Rule::decision_kept_until_known, kCoordinatorOnly, T{}},
      {Rule::intent_committed_first, kCoordinatorOnly, T{}},
      {Rule::in_doubt_asks, kCoordinatorOnly, T{}},
      {Rule::ended_blocks_prepare, "a half is applied twice", T{}},
      {Rule::ended_in_log, "a half is applied twice", T{}},
  };
  return all;
}

}  // namespace turbine::model
