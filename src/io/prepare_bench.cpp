// What write + flush to fresh space costs, by how the space was made ready (docs/decisions/).
//   build/src/io/io_prepare_bench      in the directory whose file system is meant
#include <benchmark/benchmark.h>
#include <unistd.h>

#include "io/uring_device.hpp"

namespace turbine::io {
namespace {

constexpr uint64_t kBytes = uint64_t{512} << 20;
constexpr uint64_t kSlabBytes = uint64_t{64} << 20;
enum Preparation : int64_t { kSparse, kFallocated, kZeroed };

Task<> prepare_slab(Device& device, uint64_t offset, Preparation how) {
  if (how == kFallocated) CO_TRY(co_await device.prepare(offset, kSlabBytes));
  if (how == kZeroed) {
    const Buffer zeroes = Buffer::zeroed(1 << 20);
    for (uint64_t at = 0; at < kSlabBytes; at += zeroes.size()) {
      CO_TRY(co_await device.write(offset + at, zeroes));
    }
  }
  co_return co_await device.flush();
}

Task<> write_and_flush(Device& device, uint64_t offset, Buffer data) {
  CO_TRY(co_await device.write(offset, std::move(data)));
  co_return co_await device.flush();
}

/// Arguments: Preparation, bytes of a write. Slabs are prepared outside the measured time.
void write_to_fresh_space(benchmark::State& state) {
  Reactor reactor;
  const std::string path = "prepare_bench." + std::to_string(::getpid());
  auto device = open_uring_device(reactor, path, kBytes, {.create = true}).value();
  ::unlink(path.c_str());
  const auto how = static_cast<Preparation>(state.range(0));
  const auto size = static_cast<size_t>(state.range(1));
  const Buffer data = Buffer::zeroed(size);
  uint64_t offset = 0;
  for (auto _ : state) {
    if (offset % kSlabBytes == 0) {
      state.PauseTiming();
      if (offset == kBytes) {
        if (!reactor.run(device->discard(0, kBytes)).ok()) std::abort();
        offset = 0;
      }
      if (!reactor.run(prepare_slab(*device, offset, how)).ok()) std::abort();
      state.ResumeTiming();
    }
    if (!reactor.run(write_and_flush(*device, offset, data)).ok()) std::abort();
    offset += size;
  }
}
BENCHMARK(write_to_fresh_space)
    ->ArgsProduct({{kSparse, kFallocated, kZeroed}, {4096, 65536, 262144}})
    ->Iterations(1500)
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

void prepare_a_slab(benchmark::State& state) {
  Reactor reactor;
  const std::string path = "prepare_bench." + std::to_string(::getpid());
  auto device = open_uring_device(reactor, path, kBytes, {.create = true}).value();
  ::unlink(path.c_str());
  uint64_t offset = 0;
  for (auto _ : state) {
    const auto how = static_cast<Preparation>(state.range(0));
    if (!reactor.run(prepare_slab(*device, offset, how)).ok()) std::abort();
    offset += kSlabBytes;
  }
}
BENCHMARK(prepare_a_slab)
    ->Arg(kFallocated)
    ->Arg(kZeroed)
    ->Iterations(8)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace turbine::io
