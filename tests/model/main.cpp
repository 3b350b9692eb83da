// turbine-model: explores the models of the replication and transaction protocols.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>

#include "model/scenarios.hpp"

namespace turbine::model {
namespace {

// Visited states cost at most 12 bytes each, waiting ones 160: 40 M states stay below 1 GiB.
constexpr size_t kStatesMax = 40'000'000;
constexpr size_t kSoakStatesMax = 200'000'000;
// A path costs about 100 bytes a state.
constexpr size_t kPathStatesMax = 4'000'000;

struct Result {
  size_t states = 0;
  bool complete = false;
  std::string violation;
  std::vector<std::string> path;
};

using Taken = std::bitset<static_cast<size_t>(ReplicationStep::count)>;

template <class Model>
Result run_model(const Model& model, size_t states_max, bool keep_path, Taken* taken) {
  const auto started = std::chrono::steady_clock::now();
  const auto outcome = explore(model, states_max, keep_path);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  Result out;
  out.states = outcome.states;
  out.complete = outcome.complete;
  if (outcome.violation != nullptr) out.violation = outcome.violation;
  for (const auto& move : outcome.path) out.path.push_back(Model::describe(move));
  for (size_t step = 0; taken != nullptr && step < outcome.taken.size(); ++step) {
    if (outcome.taken.test(step)) taken->set(step);
  }
  fmt::print("  {} states, depth {}, {} transitions, {:.1f} s\n", outcome.states, outcome.depth,
             outcome.transitions, took.count());
  std::fflush(stdout);
  return out;
}

Result run(const Bounds& bounds, Rules rules, size_t states_max, bool keep_path, Taken* taken) {
  if (const auto* replication = std::get_if<ReplicationBounds>(&bounds)) {
    return run_model(Replication(*replication, rules), states_max, keep_path, taken);
  }
  return run_model(TransactionModel(std::get<TransactionBounds>(bounds), rules), states_max,
                   keep_path, taken);
}

void print_path(const Result& result) {
  for (const std::string& step : result.path) fmt::print("    {}\n", step);
}

/// Every step of a model must be taken in one of its scenarios.
bool all_taken(const char* model, const Taken& taken, size_t count) {
  bool all = true;
  for (size_t step = 0; step < count; ++step) {
    if (taken.test(step)) continue;
    fmt::print("FAILED {}: step {} is never taken; widen the bounds\n", model, step);
    all = false;
  }
  return all;
}

bool run_clean(const std::vector<Scenario>& scenarios, size_t states_max) {
  bool good = true;
  Taken replication, transaction;
  for (const Scenario& scenario : scenarios) {
    fmt::print("{}\n", scenario.name);
    const bool is_replication = std::holds_alternative<ReplicationBounds>(scenario.bounds);
    Taken* taken = is_replication ? &replication : &transaction;
    const Result result = run(scenario.bounds, {}, states_max, false, taken);
    if (!result.violation.empty()) {
      good = false;
      fmt::print("FAILED {}: {}\n", scenario.name, result.violation);
      if (result.states <= kPathStatesMax) {
        print_path(run(scenario.bounds, {}, kPathStatesMax, true, nullptr));
      }
    } else if (!result.complete) {
      good = false;
      fmt::print("FAILED {}: more than {} states; narrow the bounds\n", scenario.name, states_max);
    }
  }
  good &= all_taken("replication", replication, replication.size());
  good &= all_taken("transaction", transaction, static_cast<size_t>(TransactionStep::count));
  return good;
}

bool run_mistake(const Mistake& mistake, size_t states_max, bool show_path) {
  Rules rules;
  rules.leave_out(mistake.rule);
  fmt::print("without {}: ", rule_name(mistake.rule));
  const Result result = run(mistake.bounds, rules, states_max, show_path, nullptr);
  const char* nothing = result.complete ? "nothing in all states" : "nothing up to the bound";
  fmt::print("    {}\n", result.violation.empty() ? nothing : result.violation);
  print_path(result);
  if (result.violation == mistake.broken && (result.complete || !mistake.broken.empty())) {
    return true;
  }
  fmt::print("FAILED without {}: expected \"{}\"\n", rule_name(mistake.rule), mistake.broken);
  return false;
}

bool run_mistakes(const std::string& only, size_t states_max, bool show_path, bool unproven) {
  bool good = true, any = false;
  for (const Mistake& mistake : mistakes()) {
    if (!only.empty() && rule_name(mistake.rule) != only) continue;
    if (only.empty() && mistake.broken.empty() && !unproven) continue;
    any = true;
    good &= run_mistake(mistake, states_max, show_path);
  }
  if (!any) fmt::print("FAILED: no mistake is planted for rule \"{}\"\n", only);
  return good && any;
}

int run_main(int argc, char** argv) {
  CLI::App app("explores the models of the replication and transaction protocols");
  std::string without;
  bool clean = false, planted = false, soak = false, path = false;
  app.add_flag("--clean", clean, "the protocol as it is");
  app.add_flag("--mistakes", planted, "every planted mistake: each must be found");
  app.add_flag("--soak", soak, "the clean protocol in larger bounds (up to 8 GiB)");
  app.add_option("--without", without, "RULE: only the protocol without this rule")
      ->check([](const std::string& name) {
        return rule_by_name(name) ? std::string() : "no rule is named " + name;
      });
  app.add_flag("--path", path, "print the steps to a mistake's counterexample");
  CLI11_PARSE(app, argc, argv);
  if (!clean && !planted && !soak && without.empty()) {
    fmt::print("{}", app.help());
    return 2;
  }
  bool good = true;
  if (clean) good &= run_clean(clean_scenarios(), kStatesMax);
  if (soak) good &= run_clean(soak_scenarios(), kSoakStatesMax);
  if (planted || !without.empty()) good &= run_mistakes(without, kStatesMax, path, soak);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace turbine::model

int main(int argc, char** argv) {
  return turbine::model::run_main(argc, argv);
}
