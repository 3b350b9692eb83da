#include "stripe/stripe_reader.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "stripe/repair.hpp"
#include "stripe/stripe_writer.hpp"
#include "support/faulty_shards.hpp"
#include "support/virtual_time.hpp"

namespace turbine::stripe {
namespace {

using std::chrono::milliseconds;
constexpr PartitionId kHome(0);

struct StripeReaderTest : testing::Test {
  test::VirtualTime time;
  FaultyShards shards{time};
  cluster::MapHolder map;
  CountedStripeIds ids;
  GroupStripeWriter writer{time, shards, map, ids};
  std::vector<std::pair<StripeId, std::vector<uint32_t>>> reports;
  ReportLostShards on_lost = [this](StripeId id, GroupId, std::vector<uint32_t> indexes) {
    reports.emplace_back(id, std::move(indexes));
  };
  GroupStripeReader reader{time, shards, map, on_lost};
  Rng rng{2};
  proto::NewStripe stripe;
  std::string bytes;

  StripeReaderTest() {
    map.update(make_test_map(1, 6, 2));
    fill(1000000);
  }
  ~StripeReaderTest() override { EXPECT_TRUE(time.run(reader.stop()).ok()); }

  void fill(size_t size) {
    Buffer data = Buffer::allocate(size);
    rng.fill(data.mutable_view());
    bytes = data.text();
    stripe = *time.run(writer.write(kHome, {data}));
  }
  BladeId blade(uint32_t index) const {
    return map.get()->group(GroupId(stripe.group()))->blades[index];
  }
  ShardId shard(uint32_t index) const {
    return {StripeId(stripe.id()), static_cast<uint8_t>(index)};
  }
  proto::Extent extent(uint32_t offset, uint64_t length) const {
    proto::Extent extent;
    extent.set_stripe(stripe.id());
    extent.set_group(stripe.group());
    extent.set_shard_bytes(stripe.shard_bytes());
    extent.set_stripe_offset(offset);
    extent.set_length(length);
    return extent;
  }
  Result<std::string> read(uint64_t skip, uint64_t length) {
    auto buffers = time.run(reader.read(extent(0, bytes.size()), skip, length));
    if (!buffers.ok()) return fail(buffers.error());
    std::string all;
    for (const Buffer& buffer : *buffers) all += buffer.text();
    return all;
  }
  void expect_random_reads(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      const uint64_t from = rng.below(bytes.size());
      const uint64_t length = rng.below(bytes.size() - from) + 1;
      const auto got = read(from, length);
      ASSERT_TRUE(got.ok()) << got.error().text();
      ASSERT_TRUE(*got == bytes.substr(from, length)) << from << " + " << length;
    }
    const auto all = read(0, bytes.size());
    ASSERT_TRUE(all.ok() && *all == bytes);
  }
  enum class Fault { dead, absent, corrupt, failing };
  void spoil(uint32_t index, Fault fault) {
    switch (fault) {
      case Fault::dead:
        shards.dead.insert(blade(index));
        break;
      case Fault::absent:
        shards.read_faults[{blade(index), shard(index)}] = Errc::not_found;
        break;
      case Fault::corrupt:
        shards.read_faults[{blade(index), shard(index)}] = Errc::corrupt;
        break;
      case Fault::failing:
        shards.failing[blade(index)] = Errc::timeout;
        break;
    }
  }
  void mend() {
    shards.dead.clear();
    shards.read_faults.clear();
    shards.failing.clear();
  }
};

TEST_F(StripeReaderTest, ReadsOnlyTheShardsOfTheRange) {
  ASSERT_EQ(*read(10, 100), bytes.substr(10, 100));
  EXPECT_EQ(shards.reads, 1U);
  EXPECT_EQ(shards.bytes_read, 100U);
  const uint32_t unit = stripe.shard_bytes();
  ASSERT_EQ(*read(unit - 5, 10), bytes.substr(unit - 5, 10));
  EXPECT_EQ(shards.reads, 3U);
  EXPECT_EQ(reader.counters().reconstructions, 0U);
}

TEST_F(StripeReaderTest, ReadsBackThroughEveryLossOfUpToTwoShards) {
  for (const Fault fault : {Fault::dead, Fault::absent, Fault::corrupt, Fault::failing}) {
    for (uint32_t a = 0; a < 6; ++a) {
      for (uint32_t b = a; b < 6; ++b) {
        spoil(a, fault);
        spoil(b, fault == Fault::dead ? Fault::corrupt : fault);
        ASSERT_NO_FATAL_FAILURE(expect_random_reads(8)) << a << " " << b;
        mend();
      }
    }
  }
  EXPECT_GT(reader.counters().reconstructions, 100U);
}

TEST_F(StripeReaderTest, ReadsExtentsThatStartInsideAStripe) {
  for (int i = 0; i < 50; ++i) {
    const uint32_t start = static_cast<uint32_t>(rng.below(bytes.size() - 1));
    const uint64_t length = rng.below(bytes.size() - start) + 1;
    const uint64_t skip = rng.below(length);
    auto buffers = time.run(reader.read(extent(start, length), skip, length - skip));
    ASSERT_TRUE(buffers.ok());
    std::string all;
    for (const Buffer& buffer : *buffers) all += buffer.text();
    ASSERT_TRUE(all == bytes.substr(start + skip, length - skip));
  }
}

TEST_F(StripeReaderTest, ReadsNoShardTwiceWhenAWholeStripeLostOne) {
  spoil(1, Fault::dead);
  shards.reads = 0;
  ASSERT_EQ(*read(0, bytes.size()), bytes);
  // Three data shards, one parity; the last piece is shorter than a shard and is read again whole.
  EXPECT_LE(shards.reads, 5U);
}

TEST_F(StripeReaderTest, AnswersFromOthersWhenABladeIsSlow) {
  shards.delays[blade(0)] = std::chrono::seconds(3);
  const TimePoint start = time.now();
  ASSERT_EQ(*read(0, 5000), bytes.substr(0, 5000));
  EXPECT_EQ(time.now() - start, milliseconds(100));
  EXPECT_EQ(reader.counters().hedges, 1U);
  EXPECT_TRUE(reports.empty());
}

TEST_F(StripeReaderTest, TakesTheSlowAnswerWhenItComesFirst) {
  for (uint32_t i = 1; i < 6; ++i) shards.delays[blade(i)] = milliseconds(400);
  shards.delays[blade(0)] = milliseconds(150);
  const TimePoint start = time.now();
  ASSERT_EQ(*read(0, 5000), bytes.substr(0, 5000));
  EXPECT_EQ(time.now() - start, milliseconds(150));
}

TEST_F(StripeReaderTest, ReportsLostShardsOncePerPeriod) {
  spoil(0, Fault::corrupt);
  spoil(1, Fault::dead);  // known to the map; not the reader's business
  ASSERT_EQ(*read(0, 100), bytes.substr(0, 100));
  ASSERT_EQ(*read(0, 100), bytes.substr(0, 100));
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].first, StripeId(stripe.id()));
  EXPECT_EQ(reports[0].second, std::vector<uint32_t>{0});
  time.run_until(time.now() + std::chrono::seconds(11));
  ASSERT_EQ(*read(0, 100), bytes.substr(0, 100));
  EXPECT_EQ(reports.size(), 2U);
}

TEST_F(StripeReaderTest, SaysNotFoundOnlyWhenShardsAreGoneEverywhere) {
  for (uint32_t i = 0; i < 3; ++i) spoil(i, Fault::dead);
  EXPECT_TRUE(read(0, 100).failed_with(Errc::unavailable));
  mend();
  for (uint32_t i = 0; i < 3; ++i) spoil(i, Fault::corrupt);
  EXPECT_TRUE(read(0, 100).failed_with(Errc::io));
  mend();
  for (uint32_t i = 0; i < 6; ++i) spoil(i, Fault::absent);
  EXPECT_TRUE(read(0, 100).failed_with(Errc::not_found));
  mend();
  for (uint32_t i = 0; i < 4; ++i) spoil(i, Fault::absent);
  spoil(5, Fault::dead);
  EXPECT_TRUE(read(0, 100).failed_with(Errc::not_found));
}

TEST_F(StripeReaderTest, RefusesAnExtentThatContradictsItsLayout) {
  proto::Extent wrong = extent(stripe.shard_bytes() * 4 - 10, 20);
  EXPECT_TRUE(time.run(reader.read(wrong, 0, 20)).failed_with(Errc::invalid));
  wrong.set_shard_bytes(0);
  EXPECT_TRUE(time.run(reader.read(wrong, 0, 20)).failed_with(Errc::invalid));
  EXPECT_TRUE(time.run(reader.read(extent(0, 10), 5, 6)).failed_with(Errc::invalid));
}

TEST_F(StripeReaderTest, KeepsWholeShardsInItsCache) {
  GroupStripeReader cached(time, shards, map, on_lost, {.cache_bytes = 4 << 20});
  const auto read_all = [&] {
    std::string all;
    const auto got = time.run(cached.read(extent(0, bytes.size()), 0, bytes.size()));
    for (const Buffer& buffer : *got) all += buffer.text();
    return all;
  };
  fill(1 << 20);
  ASSERT_EQ(read_all(), bytes);
  const uint64_t reads = shards.reads;
  ASSERT_EQ(read_all(), bytes);
  EXPECT_EQ(shards.reads, reads);
  // Cached shards serve a reconstruction at once.
  spoil(0, Fault::dead);
  ASSERT_EQ(read_all(), bytes);
  ASSERT_TRUE(time.run(cached.stop()).ok());
}

TEST_F(StripeReaderTest, KeepsTheBlocksThatSmallReadsTouchInItsCache) {
  GroupStripeReader cached(time, shards, map, on_lost, {.cache_bytes = 4 << 20});
  fill(1 << 20);
  const auto read = [&](uint64_t from, uint64_t length) {
    std::string all;
    const auto got = time.run(cached.read(extent(0, bytes.size()), from, length));
    for (const Buffer& buffer : *got) all += buffer.text();
    EXPECT_EQ(all, bytes.substr(from, length)) << from;
  };
  for (const uint64_t from : {4096, 100, 16'000, 20'000, 262'144 - 50, 262'144 + 5}) {
    read(from, 300);
  }
  const uint64_t reads = shards.reads;
  read(8192, 4096);  // in the block of the first
  read(17'000, 300);
  read(262'144 + 100, 1000);
  EXPECT_EQ(shards.reads, reads);
  EXPECT_EQ(cached.counters().cache_hits, 6U);
  read(65'536, 300);
  EXPECT_EQ(shards.reads, reads + 1);
  read(0, bytes.size());  // whole shards, past the blocks
  ASSERT_TRUE(time.run(cached.stop()).ok());
}

TEST_F(StripeReaderTest, RepairPutsBackWhatIsLostAndNothingElse) {
  proto::Stripe record;
  record.set_id(stripe.id());
  record.set_group(stripe.group());
  record.set_shard_bytes(stripe.shard_bytes());
  record.set_generation(1);
  const cluster::GroupView group = *map.get()->group(GroupId(stripe.group()));
  auto before = shards.stored;
  auto sound = time.run(repair_stripe(record, group, shards, {}));
  ASSERT_TRUE(sound.ok());
  EXPECT_TRUE(sound->repaired.empty());
  EXPECT_EQ(sound->generation, 1U);

  shards.stored.erase({blade(1), shard(1)});
  spoil(5, Fault::corrupt);
  auto repaired = time.run(repair_stripe(record, group, shards, {1}));
  ASSERT_TRUE(repaired.ok()) << repaired.error().text();
  EXPECT_EQ(repaired->repaired, (std::vector<uint32_t>{1, 5}));
  EXPECT_EQ(repaired->generation, 2U);
  for (uint32_t i = 0; i < 6; ++i) {
    const auto& now = shards.stored.at({blade(i), shard(i)});
    EXPECT_EQ(now.bytes, before.at({blade(i), shard(i)}).bytes) << i;
    EXPECT_EQ(now.generation, i == 1 || i == 5 ? 2U : 1U) << i;
  }
}

// Repairs that were not noted down leave shards of generations that the record does not know.
TEST_F(StripeReaderTest, RepairGetsPastAnyGeneration) {
  proto::Stripe record;
  record.set_id(stripe.id());
  record.set_shard_bytes(stripe.shard_bytes());
  record.set_generation(1);
  const cluster::GroupView group = *map.get()->group(GroupId(stripe.group()));
  const std::string bytes = shards.stored.at({blade(2), shard(2)}).bytes;
  shards.stored.at({blade(2), shard(2)}) = {std::string(bytes.size(), 'x'), 40};
  spoil(2, Fault::corrupt);
  const auto repaired = time.run(repair_stripe(record, group, shards, {2}));
  ASSERT_TRUE(repaired.ok()) << repaired.error().text();
  EXPECT_GT(repaired->generation, 40U);
  EXPECT_EQ(shards.stored.at({blade(2), shard(2)}).bytes, bytes);
}

TEST_F(StripeReaderTest, RepairDoesNotJudgeBladesThatDoNotAnswer) {
  proto::Stripe record;
  record.set_id(stripe.id());
  record.set_shard_bytes(stripe.shard_bytes());
  const cluster::GroupView group = *map.get()->group(GroupId(stripe.group()));
  spoil(2, Fault::dead);
  spoil(3, Fault::corrupt);
  const auto outcome = time.run(repair_stripe(record, group, shards, {2, 3}));
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->repaired, std::vector<uint32_t>{3});
  EXPECT_EQ(outcome->unreachable, std::vector<uint32_t>{2});
  spoil(0, Fault::corrupt);
  spoil(1, Fault::dead);
  EXPECT_TRUE(time.run(repair_stripe(record, group, shards, {0})).failed_with(Errc::unavailable));
}

}  // namespace
}  // namespace turbine::stripe
