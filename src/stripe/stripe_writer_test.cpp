#include "stripe/stripe_writer.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "stripe/stripe_reader.hpp"
#include "support/faulty_shards.hpp"
#include "support/virtual_time.hpp"

namespace turbine::stripe {
namespace {

constexpr PartitionId kHome(0);

struct StripeWriterTest : testing::Test {
  test::VirtualTime time;
  FaultyShards shards{time};
  cluster::MapHolder map;
  CountedStripeIds ids;
  GroupStripeWriter writer{time, shards, map, ids};
  Rng rng{1};

  StripeWriterTest() { map.update(make_test_map(1, 6, 2)); }

  Buffer random(size_t size) {
    Buffer buffer = Buffer::allocate(size);
    rng.fill(buffer.mutable_view());
    return buffer;
  }
  Result<proto::NewStripe> write(std::vector<Buffer> data) {
    return time.run(writer.write(kHome, std::move(data)));
  }
  // The stripe's data shards one after another; counts shards that are missing.
  std::string stored(const proto::NewStripe& stripe, int* missing) {
    const cluster::GroupView& group = *map.get()->group(GroupId(stripe.group()));
    std::string bytes;
    *missing = 0;
    for (size_t i = 0; i < group.blades.size(); ++i) {
      const ShardId shard{StripeId(stripe.id()), static_cast<uint8_t>(i)};
      const auto found = shards.stored.find({group.blades[i], shard});
      *missing += found == shards.stored.end();
      if (found != shards.stored.end() && static_cast<int>(i) < group.data_count) {
        bytes += found->second.bytes;
      }
    }
    return bytes;
  }
  void expect_whole(const proto::NewStripe& stripe, const std::string& data) {
    int missing = 0;
    const std::string bytes = stored(stripe, &missing);
    EXPECT_EQ(missing, 0);
    ASSERT_GE(bytes.size(), data.size());
    EXPECT_TRUE(bytes.starts_with(data));
    EXPECT_EQ(bytes.find_first_not_of('\0', data.size()), std::string::npos);
  }
};

TEST_F(StripeWriterTest, LaysBytesOutContiguouslyAndPadsWithZeroes) {
  for (const size_t size : {1UL, 4096UL, 4097UL, 65536UL, 65537UL, 1000000UL, 1048576UL}) {
    const Buffer data = random(size);
    const auto stripe = write({data});
    ASSERT_TRUE(stripe.ok()) << stripe.error().text();
    EXPECT_EQ(stripe->data_bytes(), size);
    EXPECT_EQ(stripe->shard_bytes() % kShardUnit, 0U);
    EXPECT_EQ(stripe->shard_bytes(), shard_bytes_for(size, 4));
    expect_whole(*stripe, std::string(data.text()));
  }
}

TEST_F(StripeWriterTest, CopiesOnlyWhatIsUnalignedOrNeedsPadding) {
  ASSERT_TRUE(write({random(1 << 20)}).ok());
  EXPECT_EQ(writer.counters().copied_bytes, 0U);
  ASSERT_TRUE(write({random(512 << 10), random(512 << 10)}).ok());
  EXPECT_EQ(writer.counters().copied_bytes, 0U);
  // The last shard needs padding, so it alone is copied.
  ASSERT_TRUE(write({random((1 << 20) - 100)}).ok());
  EXPECT_EQ(writer.counters().copied_bytes, (256U << 10) - 100);
  const Buffer shifted = random((1 << 20) + 1).slice(1, 1 << 20);
  ASSERT_TRUE(write({shifted}).ok());
  EXPECT_EQ(writer.counters().copied_bytes, (256U << 10) - 100 + (1U << 20));
}

TEST_F(StripeWriterTest, JoinsBuffersOfAnySize) {
  for (int round = 0; round < 50; ++round) {
    std::vector<Buffer> data;
    std::string all;
    for (size_t left = rng.below(900000) + 1; left > 0;) {
      const size_t size = std::min<size_t>(left, rng.below(200000) + 1);
      data.push_back(random(size));
      all += data.back().text();
      left -= size;
    }
    const auto stripe = write(data);
    ASSERT_TRUE(stripe.ok());
    expect_whole(*stripe, all);
  }
}

TEST_F(StripeWriterTest, NeverReturnsAStripeWithAMissingShard) {
  for (uint32_t a = 1; a <= 6; ++a) {
    for (uint32_t b = a + 1; b <= 6; ++b) {
      for (const Errc code : {Errc::unavailable, Errc::timeout, Errc::io, Errc::no_space}) {
        shards.failing_puts = {{BladeId(a), code}, {BladeId(b), code}};
        const Buffer data = random(300000);
        const auto stripe = write({data});
        ASSERT_TRUE(stripe.ok()) << stripe.error().text();
        expect_whole(*stripe, std::string(data.text()));
        time.run_until(time.now() + std::chrono::seconds(5));
      }
    }
  }
  EXPECT_GT(writer.counters().given_up, 0U);
  // Nothing of what was given up stays.
  std::set<StripeId> left;
  for (const auto& [place, stored] : shards.stored) left.insert(place.second.stripe);
  EXPECT_EQ(left.size(), writer.counters().stripes);
}

TEST_F(StripeWriterTest, LeavesAFailedBladeOutForAWhile) {
  shards.failing_puts = {{BladeId(3), Errc::timeout}};
  ASSERT_TRUE(write({random(100000)}).ok());
  const uint64_t given_up = writer.counters().given_up;
  ASSERT_TRUE(write({random(100000)}).ok());
  EXPECT_EQ(writer.counters().given_up, given_up);
  EXPECT_EQ(writer.stripe_bytes_max(), 3 * kShardBytesMax);
  time.run_until(time.now() + std::chrono::seconds(3));
  EXPECT_EQ(writer.stripe_bytes_max(), 4 * kShardBytesMax);
}

TEST_F(StripeWriterTest, SplitsAgainWhenTheLayoutGetsNarrower) {
  shards.failing_puts = {{BladeId(1), Errc::unavailable}, {BladeId(2), Errc::unavailable}};
  const Buffer data = random((3 << 20) + 777);
  const auto stripes = time.run(write_stripes(writer, kHome, {data}));
  ASSERT_TRUE(stripes.ok()) << stripes.error().text();
  uint64_t offset = 0;
  for (const proto::NewStripe& stripe : *stripes) {
    expect_whole(stripe, std::string(data.text().substr(offset, stripe.data_bytes())));
    offset += stripe.data_bytes();
  }
  EXPECT_EQ(offset, data.size());
}

TEST_F(StripeWriterTest, SaysNoSpaceWhenBladesAreFull) {
  for (uint32_t id = 1; id <= 6; ++id) shards.failing_puts[BladeId(id)] = Errc::no_space;
  EXPECT_TRUE(write({random(5000)}).failed_with(Errc::no_space));
  EXPECT_TRUE(shards.stored.empty());
}

TEST_F(StripeWriterTest, SaysUnavailableWhenTooFewBladesAnswer) {
  for (uint32_t id = 1; id <= 3; ++id) shards.failing_puts[BladeId(id)] = Errc::unavailable;
  EXPECT_TRUE(write({random(5000)}).failed_with(Errc::unavailable));
  EXPECT_TRUE(shards.stored.empty());
}

// A gateway that was frozen for seconds found all its calls late, avoided every blade, and answered
// 503 to PUTs for two seconds more.
TEST_F(StripeWriterTest, TriesBladesAgainWhenAllWereToBeAvoided) {
  for (uint32_t id = 1; id <= 6; ++id) shards.failing_puts[BladeId(id)] = Errc::timeout;
  EXPECT_TRUE(write({random(5000)}).failed_with(Errc::unavailable));
  shards.failing_puts.clear();
  EXPECT_EQ(writer.stripe_bytes_max(), 4 * kShardBytesMax);
  const Buffer data = random(300000);
  const auto stripe = write({data});
  ASSERT_TRUE(stripe.ok()) << stripe.error().text();
  expect_whole(*stripe, std::string(data.text()));
}

TEST_F(StripeWriterTest, TriesBladesThatWereToBeAvoidedOnceForEachStripe) {
  for (uint32_t id = 1; id <= 6; ++id) shards.failing_puts[BladeId(id)] = Errc::timeout;
  EXPECT_TRUE(write({random(5000)}).failed_with(Errc::unavailable));
  const uint64_t given_up = writer.counters().given_up;
  EXPECT_TRUE(write({random(5000)}).failed_with(Errc::unavailable));
  EXPECT_EQ(writer.counters().given_up, given_up + 1);
}

TEST_F(StripeWriterTest, TakesTheNewerMapAfterStaleEpoch) {
  shards.failing_puts = {{BladeId(2), Errc::stale_epoch}};
  time.call_at(time.now() + std::chrono::milliseconds(20), [&] {
    shards.failing_puts.clear();
    map.update(make_test_map(2, 6, 2));
  });
  const auto stripe = write({random(5000)});
  ASSERT_TRUE(stripe.ok());
  EXPECT_EQ(writer.stripe_bytes_max(), 4 * kShardBytesMax);  // nobody is avoided
}

TEST_F(StripeWriterTest, WorksWithoutParity) {
  map.update(make_test_map(2, 1, 0));
  const Buffer data = random(200000);
  const auto stripe = write({data});
  ASSERT_TRUE(stripe.ok());
  expect_whole(*stripe, std::string(data.text()));
}

}  // namespace
}  // namespace turbine::stripe
