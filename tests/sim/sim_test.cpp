// The simulator itself: it replays, and it finds what is planted.
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "sim/simulation.hpp"

namespace turbine::sim {
namespace {

/// What goes wrong in a run is meant to; its log would only hide what matters.
class Simulation : public testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
};

TEST_F(Simulation, ReplaysASeedExactly) {
  const Outcome first = run_simulation({.seed = 4});
  const Outcome again = run_simulation({.seed = 4});
  EXPECT_TRUE(first.ok()) << first.complaints[0];
  EXPECT_EQ(first.trace_hash, again.trace_hash);
  EXPECT_EQ(first.operations, again.operations);
  EXPECT_NE(first.trace_hash, run_simulation({.seed = 5}).trace_hash);
}

}  // namespace
}  // namespace turbine::sim
