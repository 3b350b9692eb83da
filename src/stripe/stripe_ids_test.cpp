#include "stripe/stripe_ids.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/async.hpp"
#include "support/virtual_time.hpp"

namespace turbine::stripe {
namespace {

struct StripeIdsTest : testing::Test {
  test::VirtualTime time;
  std::vector<uint32_t> leases;
  uint64_t next_number = 1;
  bool failing = false;
  LeasedStripeIds ids{time, [this](PartitionId, uint32_t count) { return lease(count); }};

  Task<StripeIdRange> lease(uint32_t count) {
    leases.push_back(count);
    CO_TRY(co_await time.sleep_for(std::chrono::milliseconds(300)));
    if (failing) co_return fail(Errc::unavailable, "no partition");
    const StripeIdRange range{next_number, count};
    next_number += count;
    co_return range;
  }
  asio::awaitable<std::vector<Result<StripeId>>, Executor> many(size_t count) {
    std::vector<Task<StripeId>> tasks;
    for (size_t i = 0; i < count; ++i) tasks.push_back(ids.next(PartitionId(3)));
    co_return co_await when_all(std::move(tasks));
  }
  Task<size_t> take(size_t count, std::set<StripeId>& into) {
    size_t failed = 0;
    for (const auto& id : co_await many(count)) {
      if (!id.ok()) {
        ++failed;
      } else if (!into.insert(*id).second) {
        ADD_FAILURE() << "given twice";
      }
    }
    co_return failed;
  }
};

TEST_F(StripeIdsTest, GivesEachIdOnceAndLeasesMoreWhenUsedFast) {
  std::set<StripeId> seen;
  EXPECT_EQ(*time.run(take(5000, seen)), 0U);
  EXPECT_EQ(seen.size(), 5000U);
  EXPECT_EQ(seen.begin()->home(), PartitionId(3));
  EXPECT_EQ(leases[0], kLeaseCountMin);
  EXPECT_EQ(leases.back(), kLeaseCountMax);
  time.run_until(time.now() + std::chrono::minutes(1));
  EXPECT_EQ(*time.run(take(500, seen)), 0U);
  EXPECT_EQ(leases.back(), kLeaseCountMax / 2);
}

TEST_F(StripeIdsTest, AFailedLeaseFailsItsWaitersAtOnce) {
  failing = true;
  std::set<StripeId> seen;
  const TimePoint start = time.now();
  EXPECT_EQ(*time.run(take(100, seen)), 100U);
  EXPECT_EQ(time.now() - start, std::chrono::milliseconds(300));
  EXPECT_EQ(leases.size(), 1U);
  failing = false;
  EXPECT_EQ(*time.run(take(10, seen)), 0U);
}

TEST_F(StripeIdsTest, ForgetsRangesOfAnEndedSession) {
  std::set<StripeId> seen;
  EXPECT_EQ(*time.run(take(3, seen)), 0U);
  ids.forget();
  EXPECT_EQ(time.run(ids.next(PartitionId(3)))->number(), kLeaseCountMin + 1);
}

TEST_F(StripeIdsTest, ForgetsARangeOnceHoweverManyOfItsIdsAreDead) {
  std::set<StripeId> seen;
  EXPECT_EQ(*time.run(take(3, seen)), 0U);
  for (const StripeId id : seen) ids.forget(id);
  EXPECT_EQ(time.run(ids.next(PartitionId(3)))->number(), kLeaseCountMin + 1);
  for (const StripeId id : seen) ids.forget(id);
  EXPECT_EQ(time.run(ids.next(PartitionId(3)))->number(), kLeaseCountMin + 2);
  EXPECT_EQ(leases.size(), 2U);
}

}  // namespace
}  // namespace turbine::stripe
