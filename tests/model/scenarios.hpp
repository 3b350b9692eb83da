// What is run: bounds for the clean protocol, and for every planted mistake.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "model/replication.hpp"
#include "model/rules.hpp"
#include "model/transaction.hpp"

namespace turbine::model {

using Bounds = std::variant<ReplicationBounds, TransactionBounds>;

struct Scenario {
  std::string_view name;
  Bounds bounds;
};

struct Mistake {
  Rule rule;
  /// The invariant that is broken first. Empty: none is known to be, the rule is kept as prudence.
  std::string_view broken;
  Bounds bounds;
};

/// Run for every change, and in the soak run.
const std::vector<Scenario>& clean_scenarios();
const std::vector<Scenario>& soak_scenarios();
const std::vector<Mistake>& mistakes();

}  // namespace turbine::model
