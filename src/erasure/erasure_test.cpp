#include "erasure/erasure.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "base/rng.hpp"

namespace turbine::erasure {
namespace {

// --- a naive model: GF(2^8) with the polynomial 0x11d, Cauchy rows 1 / (row ^ column) -----------

uint8_t gf_product(uint8_t a, uint8_t b) {
  unsigned product = 0;
  for (unsigned bit = 0; bit < 8; ++bit) {
    if (((b >> bit) & 1) != 0) product ^= static_cast<unsigned>(a) << bit;
  }
  for (int bit = 14; bit >= 8; --bit) {
    if (((product >> bit) & 1) != 0) product ^= 0x11dU << (bit - 8);
  }
  return static_cast<uint8_t>(product);
}

uint8_t gf_inverse(uint8_t a) {
  for (unsigned b = 1; b < 256; ++b) {
    if (gf_product(a, static_cast<uint8_t>(b)) == 1) return static_cast<uint8_t>(b);
  }
  return 0;
}

using Shards = std::vector<std::vector<std::byte>>;

Shards make_shards(int k, int m, size_t shard_bytes, uint64_t seed) {
  Rng rng(seed);
  Shards shards(k + m, std::vector<std::byte>(shard_bytes));
  for (int i = 0; i < k; ++i) rng.fill(shards[i]);
  for (int row = k; row < k + m; ++row) {
    for (int column = 0; column < k; ++column) {
      const uint8_t factor = gf_inverse(static_cast<uint8_t>(row ^ column));
      for (size_t at = 0; at < shard_bytes; ++at) {
        shards[row][at] ^=
            static_cast<std::byte>(gf_product(factor, static_cast<uint8_t>(shards[column][at])));
      }
    }
  }
  return shards;
}

struct Layout {
  int k, m;
};
class Erasure : public testing::TestWithParam<Layout> {};

TEST_P(Erasure, EncodesAsTheNaiveModel) {
  const auto [k, m] = GetParam();
  for (const size_t shard_bytes : {size_t{1}, size_t{31}, size_t{64}, size_t{1000}, size_t{4096}}) {
    const Shards expected = make_shards(k, m, shard_bytes, 1);
    Shards parity(m, std::vector<std::byte>(shard_bytes));
    std::vector<const std::byte*> from;
    std::vector<std::byte*> to;
    from.reserve(k);
    to.reserve(m);
    for (int i = 0; i < k; ++i) from.push_back(expected[i].data());
    for (int i = 0; i < m; ++i) to.push_back(parity[i].data());
    codec_for(k, m)->encode(from, to, shard_bytes);
    for (int i = 0; i < m; ++i) EXPECT_EQ(parity[i], expected[k + i]) << shard_bytes << " " << i;
  }
}

/// Loses `lost` and asks for all of it back, over the bytes [begin, end) of each shard.
void expect_recovered(const Shards& shards, int k, uint32_t lost, size_t begin, size_t end) {
  const int count = static_cast<int>(shards.size());
  std::vector<Codec::Present> present;
  std::vector<Codec::Wanted> wanted;
  Shards output(count, std::vector<std::byte>(end - begin));
  for (int i = 0; i < count; ++i) {
    if (((lost >> i) & 1) != 0) {
      wanted.push_back({i, output[i].data()});
    } else {
      present.push_back({i, shards[i].data() + begin});
    }
  }
  const auto codec = codec_for(k, count - k);
  ASSERT_TRUE(codec->reconstruct(present, wanted, end - begin).ok()) << "lost " << lost;
  for (const Codec::Wanted& shard : wanted) {
    const std::vector<std::byte> expected(shards[shard.index].begin() + begin,
                                          shards[shard.index].begin() + end);
    EXPECT_EQ(output[shard.index], expected) << "lost " << lost << " shard " << shard.index;
  }
}

TEST_P(Erasure, RecoversFromEveryLossPattern) {
  const auto [k, m] = GetParam();
  const Shards shards = make_shards(k, m, 512, 2);
  for (uint32_t lost = 0; lost < (1U << (k + m)); ++lost) {
    if (std::popcount(lost) > m) continue;
    expect_recovered(shards, k, lost, 0, 512);
  }
}

TEST_P(Erasure, RecoversAnySubRange) {
  const auto [k, m] = GetParam();
  const Shards shards = make_shards(k, m, 512, 3);
  const uint32_t lost = m == 0 ? 0 : 1U | (m > 1 ? 1U << k : 0U);
  for (const auto& [begin, end] : {std::pair{0, 1}, {7, 40}, {100, 101}, {255, 512}, {9, 9}}) {
    expect_recovered(shards, k, lost, begin, end);
  }
}

TEST_P(Erasure, RefusesWithFewerThanKShards) {
  const auto [k, m] = GetParam();
  const Shards shards = make_shards(k, m, 64, 4);
  std::vector<Codec::Present> present;
  for (int i = 1; i < k; ++i) present.push_back({i, shards[i].data()});
  std::vector<std::byte> output(64);
  const std::vector<Codec::Wanted> wanted = {{0, output.data()}};
  EXPECT_TRUE(codec_for(k, m)->reconstruct(present, wanted, 64).failed_with(Errc::invalid));
}

INSTANTIATE_TEST_SUITE_P(Layouts, Erasure,
                         testing::Values(Layout{1, 0}, Layout{1, 1}, Layout{2, 1}, Layout{4, 2},
                                         Layout{8, 2}, Layout{3, 0}),
                         [](const auto& info) {
                           return fmt::format("{}plus{}", info.param.k, info.param.m);
                         });

TEST(ErasureCodec, OnePlusOneIsAMirror) {
  const Shards shards = make_shards(1, 1, 64, 5);
  EXPECT_EQ(shards[0], shards[1]);
}

TEST(ErasureCodec, KeepsItsMatrix) {
  // Parity of data bytes 1, 2, 3, 4 under 4+2; on disk for ever (docs/format/erasure.md).
  const std::byte data[4] = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  std::byte parity[2]{};
  const std::byte* from[4] = {&data[0], &data[1], &data[2], &data[3]};
  std::byte* to[2] = {&parity[0], &parity[1]};
  codec_for(4, 2)->encode(from, to, 1);
  EXPECT_EQ(static_cast<int>(parity[0]), 72);
  EXPECT_EQ(static_cast<int>(parity[1]), 15);
}

TEST(ErasureCodec, RefusesIndexesOutsideTheStripe) {
  std::byte byte{};
  const std::vector<Codec::Present> present = {{6, &byte}};
  EXPECT_TRUE(codec_for(4, 2)->reconstruct(present, {}, 1).failed_with(Errc::invalid));
}

TEST(ErasureCodec, CopiesWantedShardsThatAreAtHand) {
  const Shards shards = make_shards(2, 1, 64, 6);
  std::vector<std::byte> output(64);
  const std::vector<Codec::Present> present = {{1, shards[1].data()}};
  const std::vector<Codec::Wanted> wanted = {{1, output.data()}};
  ASSERT_TRUE(codec_for(2, 1)->reconstruct(present, wanted, 64).ok());
  EXPECT_EQ(output, shards[1]);
}

TEST(ErasureCodec, OutlivesItsTableCache) {
  // 8+4 has 10,000 patterns of up to 4 losses with one wanted: more than the cache keeps.
  const Shards shards = make_shards(8, 4, 32, 7);
  for (int round = 0; round < 2; ++round) {
    for (uint32_t lost = 0; lost < (1U << 12); ++lost) {
      if (std::popcount(lost) == 4) expect_recovered(shards, 8, lost, 0, 32);
    }
  }
}

}  // namespace
}  // namespace turbine::erasure
