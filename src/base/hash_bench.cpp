// GB/s of the checksum of everything on disk and wire.
//   build/src/base/hash_bench
#include <benchmark/benchmark.h>

#include "base/hash.hpp"
#include "base/rng.hpp"

namespace turbine {
namespace {

void checksum(benchmark::State& state) {
  const auto size = static_cast<size_t>(state.range(0));
  Buffer data = Buffer::allocate(size);
  Rng(1).fill(data.mutable_view());
  uint64_t seed = 0;
  for (auto _ : state) benchmark::DoNotOptimize(hash64(data.view(), ++seed));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * size));
}
BENCHMARK(checksum)->Arg(32)->Arg(200)->Arg(4096)->Arg(16384)->Arg(262144)->Arg(4194304);

void seed_of_identity(benchmark::State& state) {
  uint64_t seed = 0;
  for (auto _ : state) benchmark::DoNotOptimize(seed = combine_seeds(seed, 1, 2, 3));
}
BENCHMARK(seed_of_identity);

}  // namespace
}  // namespace turbine
