#include "chunk/allocator.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.hpp"

namespace turbine::chunk {
namespace {

TEST(Allocator, MergesFreedNeighboursIntoOneRun) {
  Allocator allocator(16 * kPageBytes);
  const uint64_t a = allocator.allocate(4 * kPageBytes).value();
  const uint64_t b = allocator.allocate(4 * kPageBytes).value();
  const uint64_t c = allocator.allocate(8 * kPageBytes).value();
  EXPECT_FALSE(allocator.allocate(kPageBytes).has_value());
  allocator.release(a, 4 * kPageBytes);
  allocator.release(c, 8 * kPageBytes);
  allocator.release(b, 4 * kPageBytes);
  EXPECT_EQ(allocator.largest_run_bytes(), 16 * kPageBytes);
}

TEST(Allocator, RefusesToReserveWhatIsTakenOrOutside) {
  Allocator allocator(8 * kPageBytes);
  EXPECT_TRUE(allocator.reserve(2 * kPageBytes, 2 * kPageBytes));
  EXPECT_FALSE(allocator.reserve(3 * kPageBytes, 2 * kPageBytes));
  EXPECT_FALSE(allocator.reserve(7 * kPageBytes, 2 * kPageBytes));
  EXPECT_FALSE(allocator.reserve(100, kPageBytes));
  EXPECT_EQ(allocator.free_bytes(), 6 * kPageBytes);
}

TEST(Allocator, AgreesWithANaiveModel) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    constexpr uint64_t kUnits = 300;
    Allocator allocator(kUnits * kPageBytes);
    std::vector<bool> taken(kUnits);
    struct Run {
      uint64_t offset, units;
    };
    std::vector<Run> runs;
    for (int step = 0; step < 3000; ++step) {
      if (runs.empty() || rng.chance(11, 20)) {
        const uint64_t units = rng.below(12) + 1;
        const auto offset = allocator.allocate(units * kPageBytes);
        uint64_t longest = 0, current = 0;
        for (bool bit : taken) longest = std::max(longest, current = bit ? 0 : current + 1);
        ASSERT_EQ(offset.has_value(), longest >= units) << "seed " << seed;
        if (!offset) continue;
        for (uint64_t i = 0; i < units; ++i) {
          ASSERT_FALSE(taken[*offset / kPageBytes + i]) << "seed " << seed;
          taken[*offset / kPageBytes + i] = true;
        }
        runs.push_back({*offset, units});
      } else {
        const size_t victim = rng.below(runs.size());
        const Run run = runs[victim];
        runs[victim] = runs.back();
        runs.pop_back();
        allocator.release(run.offset, run.units * kPageBytes);
        for (uint64_t i = 0; i < run.units; ++i) taken[run.offset / kPageBytes + i] = false;
      }
      const auto used = static_cast<uint64_t>(std::count(taken.begin(), taken.end(), true));
      ASSERT_EQ(allocator.free_bytes(), (kUnits - used) * kPageBytes);
    }
  }
}

}  // namespace
}  // namespace turbine::chunk
