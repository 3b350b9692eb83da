// A simulator that finds nothing proves nothing: each planted mistake must be found. Not run under
// sanitizers, where the search takes minutes.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "sim/simulation.hpp"

namespace turbine::sim {
namespace {

struct Planted {
  const char* name;
  Plant plant;
  uint64_t first = 1;  // seed of the search
  bool files = false;  // found by clients of files; the others are found sooner without them
};

class Plants : public testing::TestWithParam<Planted> {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
};

/// The first seed from `first` on that finds the plant; that seed passes without it.
TEST_P(Plants, IsFound) {
  constexpr uint64_t kSeedsMax = 100;
  const auto& [name, plant, first, files] = GetParam();
  for (uint64_t seed = first; seed < first + kSeedsMax; ++seed) {
    const Outcome planted = run_simulation({.seed = seed, .plant = plant, .files = files});
    if (planted.ok()) continue;
    fmt::print("seed {}: {}\n", seed, planted.complaints[0]);
    const Outcome again = run_simulation({.seed = seed, .plant = plant, .files = files});
    EXPECT_EQ(planted.trace_hash, again.trace_hash);
    const Outcome healthy = run_simulation({.seed = seed, .files = files});
    EXPECT_TRUE(healthy.ok()) << healthy.complaints[0];
    return;
  }
  ADD_FAILURE() << "none of " << kSeedsMax << " seeds finds the planted bug";
}

INSTANTIATE_TEST_SUITE_P(
    All, Plants,
    testing::Values(Planted{"AcknowledgeBeforeFlush", Plant::acknowledge_before_flush},
                    Planted{"SkipChecksums", Plant::skip_checksums},
                    Planted{"SwapUnconditionally", Plant::swap_unconditionally},
                    Planted{"AcknowledgeEarly", Plant::acknowledge_early},
                    Planted{"ApplyEarly", Plant::apply_early},
                    Planted{"IgnoreTerms", Plant::ignore_terms, 120},
                    Planted{"ReadWithoutLease", Plant::read_without_lease},
                    Planted{"LeaseTooLong", Plant::lease_too_long},
                    Planted{"CutOnRestart", Plant::cut_on_restart},
                    Planted{"ForgetIds", Plant::forget_ids, 1, true}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace turbine::sim
