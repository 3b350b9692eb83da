#include "meta/binding_leases.hpp"

#include <gtest/gtest.h>

namespace turbine::meta {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const InodeId kDirectory(5);
const TimePoint kLed{seconds(10)};
const TimePoint kNow{seconds(100)};
const Duration kKept = kBindingLease + milliseconds(50);

TEST(BindingLeases, AreKeptForLongerThanTheyRun) {
  BindingLeases leases;
  EXPECT_EQ(leases.left(kDirectory, "a", kNow, kLed), Duration::zero());
  leases.give(kDirectory, "a", kNow);
  EXPECT_EQ(leases.left(kDirectory, "a", kNow + milliseconds(300), kLed), milliseconds(750));
  // By clocks that differ by 3 % altogether it has ended.
  EXPECT_GE(leases.left(kDirectory, "a", kNow, kLed), kBindingLease * 103 / 100);
  EXPECT_EQ(leases.left(kDirectory, "b", kNow, kLed), Duration::zero());
  EXPECT_EQ(leases.left(kDirectory, "a", kNow + seconds(2), kLed), Duration::zero());
}

TEST(BindingLeases, AnEarlierPrimaryMayHaveGivenOne) {
  const BindingLeases leases;
  EXPECT_EQ(leases.left(kDirectory, "a", kNow, kNow - milliseconds(400)), milliseconds(650));
}

TEST(BindingLeases, TooManyAreRememberedAsAll) {
  BindingLeases leases;
  leases.give(kDirectory, "first", kNow);
  for (int i = 0; i < 20'000; ++i) leases.give(kDirectory, std::to_string(i), kNow);
  EXPECT_EQ(leases.left(kDirectory, "first", kNow, kLed), kKept);
  EXPECT_EQ(leases.left(kDirectory, "first", kNow + kKept, kLed), Duration::zero());
}

}  // namespace
}  // namespace turbine::meta
