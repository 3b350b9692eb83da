#include "meta/binding_leases.hpp"

#include <gtest/gtest.h>

namespace turbine::meta {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const InodeId kDirectory(5);
const TimePoint kLed{seconds(10)};
const TimePoint kNow{seconds(100)};

TEST(BindingLeases, RunForASecond) {
  BindingLeases leases;
  EXPECT_EQ(leases.left(kDirectory, "a", kNow, kLed), Duration::zero());
  leases.give(kDirectory, "a", kNow);
  EXPECT_EQ(leases.left(kDirectory, "a", kNow + milliseconds(300), kLed), milliseconds(700));
  EXPECT_EQ(leases.left(kDirectory, "b", kNow, kLed), Duration::zero());
  EXPECT_EQ(leases.left(kDirectory, "a", kNow + seconds(2), kLed), Duration::zero());
}

TEST(BindingLeases, AnEarlierPrimaryMayHaveGivenOne) {
  const BindingLeases leases;
  EXPECT_EQ(leases.left(kDirectory, "a", kNow, kNow - milliseconds(400)), milliseconds(600));
}

TEST(BindingLeases, TooManyAreRememberedAsAll) {
  BindingLeases leases;
  leases.give(kDirectory, "first", kNow);
  for (int i = 0; i < 20'000; ++i) leases.give(kDirectory, std::to_string(i), kNow);
  EXPECT_EQ(leases.left(kDirectory, "first", kNow, kLed), kBindingLease);
  EXPECT_EQ(leases.left(kDirectory, "first", kNow + kBindingLease, kLed), Duration::zero());
}

}  // namespace
}  // namespace turbine::meta
