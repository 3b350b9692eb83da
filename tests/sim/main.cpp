// turbine-sim: runs simulated arrays by seed. A seed that failed fails again in the same way.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "base/log.hpp"
#include "sim/simulation.hpp"

namespace turbine::sim {
namespace {

const std::map<std::string, Plant> kPlants = {
    {"acknowledge-before-flush", Plant::acknowledge_before_flush},
    {"skip-checksums", Plant::skip_checksums},
    {"swap-unconditionally", Plant::swap_unconditionally},
    {"acknowledge-early", Plant::acknowledge_early},
    {"ignore-terms", Plant::ignore_terms},
    {"apply-early", Plant::apply_early},
    {"read-without-lease", Plant::read_without_lease},
    {"serve-early", Plant::serve_early},
    {"cut-on-restart", Plant::cut_on_restart},
    {"lease-too-long", Plant::lease_too_long},
    {"forget-ids", Plant::forget_ids},
};

struct Arguments {
  uint64_t first = 1, last = 1;
  std::string plant;
  bool verbose = false;
  bool keep_going = false;
  bool no_files = false;
};

// What is said when a CHECK fails in the middle of a seed: made beforehand, as signals want it.
char g_last_words[160];
size_t g_last_words_bytes = 0;

void prepare_last_words(uint64_t seed, const std::string& plant) {
  const auto end = fmt::format_to_n(g_last_words, sizeof g_last_words,
                                    "turbine-sim: seed {} aborted; again: --seed {}{} -v\n", seed,
                                    seed, plant.empty() ? "" : " --plant " + plant);
  g_last_words_bytes = std::min(end.size, sizeof g_last_words);
}

void on_abort(int) {
  (void)!::write(STDERR_FILENO, g_last_words, g_last_words_bytes);
  std::_Exit(1);
}

bool parse_range(const std::string& text, Arguments& arguments) {
  unsigned long long first = 0, last = 0;
  if (std::sscanf(text.c_str(), "%llu..%llu", &first, &last) != 2 || first > last) return false;
  arguments.first = first;
  arguments.last = last;
  return true;
}

/// Share I of N of the seeds that a change must pass: TURBINE_SIM_SEEDS of them, or 500.
bool parse_share(const std::string& text, Arguments& arguments) {
  unsigned long long share = 0, shares = 0;
  if (std::sscanf(text.c_str(), "%llu/%llu", &share, &shares) != 2) return false;
  if (share < 1 || share > shares) return false;
  const char* const wish = std::getenv("TURBINE_SIM_SEEDS");
  const uint64_t seeds = wish != nullptr ? std::strtoull(wish, nullptr, 10) : 500;
  arguments.first = seeds * (share - 1) / shares + 1;
  arguments.last = seeds * share / shares;
  return arguments.first <= arguments.last;
}

void report(const Outcome& outcome, const std::string& plant) {
  fmt::print("seed {}: FAILED\n", outcome.seed);
  for (const std::string& complaint : outcome.complaints) fmt::print("  {}\n", complaint);
  fmt::print("  faults:");
  for (const std::string& fault : outcome.faults) fmt::print(" {};", fault);
  fmt::print("\n  trace {:016x}; again: turbine-sim --seed {}{} -v\n", outcome.trace_hash,
             outcome.seed, plant.empty() ? "" : " --plant " + plant);
  std::fflush(stdout);
}

int run(const Arguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  uint64_t failed = 0, operations = 0, file_operations = 0, answered = 0, unknown = 0, faults = 0;
  double virtual_seconds = 0;
  const Plant plant = arguments.plant.empty() ? Plant::none : kPlants.at(arguments.plant);
  uint64_t seed = arguments.first;
  for (; seed <= arguments.last; ++seed) {
    prepare_last_words(seed, arguments.plant);
    const Outcome outcome = run_simulation(
        {.seed = seed, .plant = plant, .files = !arguments.no_files, .print = arguments.verbose});
    operations += outcome.operations;
    file_operations += outcome.file_operations;
    answered += outcome.answered;
    unknown += outcome.unknown;
    faults += outcome.faults.size();
    virtual_seconds += outcome.virtual_seconds;
    if (arguments.verbose && outcome.ok()) {
      fmt::print("seed {}: trace {:016x}\n", seed, outcome.trace_hash);
    }
    if (outcome.ok()) continue;
    ++failed;
    report(outcome, arguments.plant);
    if (!arguments.keep_going) break;
  }
  const uint64_t seeds = std::min(seed, arguments.last) - arguments.first + 1;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print(
      "{} seeds, {} failed: {} operations, {} answered, {} of unknown outcome, {} of files, {} "
      "faults "
      "struck; "
      "{:.0f} s simulated in {:.1f} s\n",
      seeds, failed, operations, answered, unknown, file_operations, faults, virtual_seconds,
      took.count());
  return failed == 0 ? 0 : 1;
}

int main_of(int argc, char** argv) {
  CLI::App app(
      "Simulates whole arrays under faults, one per seed.\n\n"
      "Example: turbine-sim --seeds 1..500");
  Arguments arguments;
  std::string range, share;
  auto* one = app.add_option("--seed", arguments.first, "one seed");
  app.add_option("--seeds", range, "a range of seeds, N..M")->excludes(one);
  app.add_option("--share", share, "I/N: that part of the seeds that every change must pass");
  app.add_option("--plant", arguments.plant, "a bug to be found")->check(CLI::IsMember(kPlants));
  app.add_flag("-v,--verbose", arguments.verbose, "print what happens, and the log");
  app.add_flag("--no-files", arguments.no_files, "no clients of files, as before there were any");
  app.add_flag("--keep-going", arguments.keep_going, "do not stop at the first failed seed");
  CLI11_PARSE(app, argc, argv);
  arguments.last = arguments.first;
  if (!range.empty() && !parse_range(range, arguments)) {
    fmt::print(stderr, "turbine-sim: --seeds wants N..M, not {}\n", range);
    return 2;
  }
  if (!share.empty() && !parse_share(share, arguments)) {
    fmt::print(stderr, "turbine-sim: --share wants I/N and at least one seed, not {}\n", share);
    return 2;
  }
  log::configure("sim", arguments.verbose ? "debug" : "off");
  std::signal(SIGABRT, on_abort);
  return run(arguments);
}

}  // namespace
}  // namespace turbine::sim

int main(int argc, char** argv) {
  return turbine::sim::main_of(argc, argv);
}
