// A simulator that finds nothing proves nothing: each planted mistake must be found. Not run under
// sanitizers, where the search takes minutes.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "sim/simulation.hpp"

namespace turbine::sim {
namespace {

class Plants : public testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
};

/// The first seed that finds the plant; that seed passes without it.
void expect_found(Plant plant) {
  constexpr uint64_t kSeedsMax = 100;
  for (uint64_t seed = 1; seed <= kSeedsMax; ++seed) {
    const Outcome planted = run_simulation({.seed = seed, .plant = plant});
    if (planted.ok()) continue;
    fmt::print("seed {}: {}\n", seed, planted.complaints[0]);
    const Outcome again = run_simulation({.seed = seed, .plant = plant});
    EXPECT_EQ(planted.trace_hash, again.trace_hash);
    const Outcome healthy = run_simulation({.seed = seed});
    EXPECT_TRUE(healthy.ok()) << healthy.complaints[0];
    return;
  }
  ADD_FAILURE() << "no seed up to " << kSeedsMax << " finds the planted bug";
}

TEST_F(Plants, FindsAcknowledgementsBeforeTheFlush) {
  expect_found(Plant::acknowledge_before_flush);
}

TEST_F(Plants, FindsSkippedChecksums) {
  expect_found(Plant::skip_checksums);
}

TEST_F(Plants, FindsUnconditionalSwapsOfExtents) {
  expect_found(Plant::swap_unconditionally);
}

TEST_F(Plants, FindsMembersThatAnswerBeforeTheirFlush) {
  expect_found(Plant::acknowledge_early);
}

TEST_F(Plants, FindsEntriesAppliedBeforeAllMembersHaveThem) {
  expect_found(Plant::apply_early);
}

TEST_F(Plants, FindsEntriesTakenFromAnEarlierPrimary) {
  expect_found(Plant::ignore_terms);
}

TEST_F(Plants, FindsReadsWithoutLease) {
  expect_found(Plant::read_without_lease);
}

TEST_F(Plants, FindsLeasesThatOutliveThePromise) {
  expect_found(Plant::lease_too_long);
}

TEST_F(Plants, FindsLogsForgottenAtRestart) {
  expect_found(Plant::cut_on_restart);
}

}  // namespace
}  // namespace turbine::sim
