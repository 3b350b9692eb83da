#include "meta/orphan_sweep.hpp"

#include <gtest/gtest.h>

#include <set>

#include "meta/test_array.hpp"

namespace turbine::meta {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// Knows which shards are there, and nothing of their bytes.
class FakeStore final : public chunk::ChunkStore {
 public:
  std::set<ShardId> shards;

  Task<> replay(const journal::Record&, bool) override { co_return Result<>{}; }
  Result<> start(journal::Journal&) override { return {}; }
  Task<> stop() override { co_return Result<>{}; }
  Task<> put(chunk::ShardInfo, Buffer, chunk::AfterPut) override { co_return Result<>{}; }
  Task<Buffer> read(ShardId, uint32_t, uint32_t) override { co_return Buffer(); }
  std::optional<chunk::ShardInfo> find(ShardId) override { return std::nullopt; }
  Task<> free(std::vector<ShardId> freed) override {
    for (const ShardId& shard : freed) shards.erase(shard);
    co_return Result<>{};
  }
  std::vector<chunk::ShardInfo> list(std::optional<ShardId> after, size_t count) override {
    std::vector<chunk::ShardInfo> found;
    for (const ShardId& shard : shards) {
      if (found.size() == count) break;
      if (after.has_value() && shard <= *after) continue;
      found.emplace_back().shard = shard;
    }
    return found;
  }
  Task<> verify(ShardId) override { co_return Result<>{}; }
  chunk::Capacity capacity() const override { return {.shard_count = shards.size()}; }
  chunk::Counters counters() const override { return {}; }
  journal::Position unapplied_from(journal::Position end) const override { return end; }
};

Options without_jobs() {
  Options options;
  options.background = false;
  return options;
}

// Shards of three ids of a leased range, in partition 0; all of them nobody's when it has ended.
struct Fixture : testing::Test {
  TestArray array{2, 2, 1, without_jobs()};
  FakeStore store;
  OrphanSweep sweep{array.clock, store, *array.client};
  const PartitionId home{0};

  Fixture() {
    proto::LeaseStripeIdsRequest lease;
    lease.set_partition(home.value);
    lease.set_session(900);
    lease.set_count(8);
    array.blade_of(home).host->renew_session(SessionId(900));
    const auto leased = array.call<proto::LeaseStripeIdsReply>(home, proto::LEASE_STRIPE_IDS, lease,
                                                               {}, array.next_request());
    EXPECT_TRUE(leased.ok());
    for (uint64_t i = 0; i < 3; ++i) {
      store.shards.insert({StripeId::make(home, leased->body.first_number() + i), 1});
    }
  }
  void end_range() {
    array.clock.advance(seconds(31));
    EXPECT_TRUE(array.clock.run(array.blade_of(home).host->end_silent_sessions()).ok());
  }
  Result<> walk() { return array.clock.run(sweep.run_once(false)); }
};
using OrphanSweepTest = Fixture;

TEST_F(OrphanSweepTest, FreesWhatStayedDisownedForTheQuarantine) {
  end_range();
  ASSERT_TRUE(walk().ok());
  EXPECT_EQ(sweep.quarantined(), 3U);
  array.clock.advance(hours(23));
  ASSERT_TRUE(walk().ok());
  EXPECT_EQ(store.shards.size(), 3U);
  array.clock.advance(hours(2));
  ASSERT_TRUE(walk().ok());
  EXPECT_TRUE(store.shards.empty());
  EXPECT_EQ(sweep.freed(), 3U);
  EXPECT_EQ(sweep.quarantined(), 0U);
}

TEST_F(OrphanSweepTest, KeepsIdsOfALiveRangeAndIdsNeverLeased) {
  store.shards.insert({StripeId::make(home, 1'000'000), 0});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(walk().ok());
    EXPECT_EQ(sweep.quarantined(), 0U);
    array.clock.advance(hours(30));
  }
  EXPECT_EQ(store.shards.size(), 4U);
}

TEST_F(OrphanSweepTest, FreesNothingWhileTheHomeDoesNotAnswer) {
  end_range();
  ASSERT_TRUE(walk().ok());
  array.clock.advance(hours(25));
  array.crash(array.blade_of(home));
  ASSERT_TRUE(walk().ok());
  EXPECT_EQ(store.shards.size(), 3U);
  EXPECT_EQ(sweep.quarantined(), 3U);
  array.start(array.blade_of(home));
  ASSERT_TRUE(walk().ok());
  EXPECT_TRUE(store.shards.empty());
}

TEST_F(OrphanSweepTest, StopsWhenTooManyWouldGo) {
  SweepOptions options;
  options.freed_always_ok = 2;
  OrphanSweep strict(array.clock, store, *array.client, options);
  end_range();
  ASSERT_TRUE(array.clock.run(strict.run_once(false)).ok());
  array.clock.advance(hours(25));
  EXPECT_TRUE(array.clock.run(strict.run_once(false)).failed_with(Errc::conflict));
  EXPECT_EQ(store.shards.size(), 3U);
}

}  // namespace
}  // namespace turbine::meta
