#include "cluster/fenced_store.hpp"

#include <gtest/gtest.h>

#include "io/sim_clock.hpp"

namespace turbine::cluster {
namespace {

TEST(FencedStore, WritesAsLongAsTheLeaderRecordIsItsOwn) {
  io::SimClock clock;
  MemStore store;
  const uint64_t leading = clock.run(store.txn({}, {{"leader", "a"}})).value();
  int deposed = 0;
  FencedStore fenced(store, "leader", leading, [&] { ++deposed; });
  ASSERT_TRUE(clock.run(fenced.txn({{"map", 0}}, {{"map", "1"}})).ok());
  EXPECT_TRUE(clock.run(fenced.txn({{"map", 0}}, {{"map", "2"}})).failed_with(Errc::conflict));
  EXPECT_EQ(deposed, 0) << "a conflict about the map says nothing about who leads";
}

TEST(FencedStore, ChangesNothingOnceAnotherLeads) {
  io::SimClock clock;
  MemStore store;
  const uint64_t leading = clock.run(store.txn({}, {{"leader", "a"}})).value();
  int deposed = 0;
  FencedStore fenced(store, "leader", leading, [&] { ++deposed; });
  // The same name again, as after a restart: another leadership all the same.
  ASSERT_TRUE(clock.run(store.txn({}, {{"leader", std::nullopt}})).ok());
  EXPECT_TRUE(clock.run(fenced.txn({}, {{"map", "1"}})).failed_with(Errc::unavailable));
  ASSERT_TRUE(clock.run(store.txn({}, {{"leader", "a"}})).ok());
  EXPECT_TRUE(clock.run(fenced.txn({}, {{"map", "1"}})).failed_with(Errc::unavailable));
  EXPECT_FALSE(clock.run(store.get("map")).value().has_value());
  EXPECT_EQ(deposed, 1);
}

}  // namespace
}  // namespace turbine::cluster
