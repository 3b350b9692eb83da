#include "model/rules.hpp"

#include <array>
#include <cstddef>

namespace turbine::model {
namespace {

// In the order of Rule.
constexpr std::array<std::string_view, static_cast<size_t>(Rule::count)> kNames = {
    "acks-until-shrink-learned",
    "term-check",
    "compare-and-swap",
    "takeover-in-sync-only",
    "joiner-acks",
    "joiner-caught-up",
    "joiner-incarnation",
    "blank-disk-new-identity",
    "keep-log-on-restart",
    "truncate-to-base",
    "reconciliation",
    "serve-after-base-committed",
    "read-lease",
    "grace-outlasts-lease",
    "no-lease-after-takeover",
    "restart-reads-record",
    "session-fence",
    "joiner-lease",
    "grants-to-anyone",
    "range-live",
    "range-owner",
    "id-once",
    "range-locks",
    "lease-answered-committed",
    "collect-after-end-committed",
    "outcome-tombstone",
    "tombstone-committed-first",
    "outcome-waits-for-decision",
    "record-blocks-decision",
    "abort-tombstone",
    "decision-committed-first",
    "decision-kept-until-known",
    "intent-committed-first",
    "in-doubt-asks",
    "ended-blocks-prepare",
    "ended-in-log",
};
static_assert(!kNames.back().empty());

}  // namespace

std::string_view rule_name(Rule rule) {
  return kNames[static_cast<size_t>(rule)];
}

std::optional<Rule> rule_by_name(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Rule>(i);
  }
  return std::nullopt;
}

}  // namespace turbine::model
