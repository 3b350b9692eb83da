// GB/s of user data: encode of a whole stripe, reconstruction of lost data shards.
#include <benchmark/benchmark.h>

#include "base/rng.hpp"
#include "erasure/erasure.hpp"

namespace turbine::erasure {
namespace {

struct Stripe {
  Stripe(int k, int m, size_t shard_bytes) {
    Rng rng(1);
    for (int i = 0; i < k + m; ++i) {
      shards.push_back(Buffer::allocate(shard_bytes));
      rng.fill(shards.back().mutable_view());
      (i < k ? data : parity).push_back(shards.back().data());
    }
    from.assign(data.begin(), data.end());
  }
  std::vector<Buffer> shards;
  std::vector<std::byte*> data, parity;
  std::vector<const std::byte*> from;
};

void encode(benchmark::State& state) {
  const int k = static_cast<int>(state.range(0)), m = static_cast<int>(state.range(1));
  const auto shard_bytes = static_cast<size_t>(state.range(2));
  Stripe stripe(k, m, shard_bytes);
  const auto codec = codec_for(k, m);
  for (auto _ : state) codec->encode(stripe.from, stripe.parity, shard_bytes);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * k * shard_bytes));
}
BENCHMARK(encode)->ArgsProduct({{2}, {1}, {65536, 262144}})->ArgsProduct({{4, 8}, {2}, {262144}});

void reconstruct(benchmark::State& state) {
  const int k = static_cast<int>(state.range(0)), m = static_cast<int>(state.range(1));
  const int lost = static_cast<int>(state.range(2));
  const size_t shard_bytes = 262144;
  Stripe stripe(k, m, shard_bytes);
  const auto codec = codec_for(k, m);
  std::vector<Codec::Present> present;
  std::vector<Codec::Wanted> wanted;
  for (int i = 0; i < k + m; ++i) {
    if (i < lost) {
      wanted.push_back({i, stripe.shards[i].data()});
    } else {
      present.push_back({i, stripe.shards[i].data()});
    }
  }
  for (auto _ : state) {
    if (!codec->reconstruct(present, wanted, shard_bytes).ok()) state.SkipWithError("failed");
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * k * shard_bytes));
}
BENCHMARK(reconstruct)->ArgsProduct({{4, 8}, {2}, {1, 2}});

}  // namespace
}  // namespace turbine::erasure
