// The chunk store over a real file, journal and RocksDB: puts (durable on return) and reads past
// the cache and from it. bench/chunk_vs_fio.py runs it against fio on the same file.
//   build/src/chunk/chunk_store_bench      in the directory whose disk is meant
// TURBINE_BENCH_FILE names an existing file to use in its place; its contents are lost.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/async.hpp"
#include "base/rng.hpp"
#include "chunk/store.hpp"
#include "io/reactor.hpp"
#include "io/uring_device.hpp"
#include "kv/rocks_kv.hpp"

namespace turbine::chunk {
namespace {

constexpr uint64_t kFileBytes = uint64_t{2} << 30;
constexpr uint64_t kJournalBytes = uint64_t{64} << 20;
constexpr uint64_t kFillBytes = uint64_t{1} << 30;  // what reads choose from

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <class T>
T must(Result<T> result) {
  if (result.ok()) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().text());
  std::abort();
}
void must(Result<> result) {
  if (result.ok()) return;
  fmt::print(stderr, "{}\n", result.error().text());
  std::abort();
}

/// A store with its journal and index on a file.
class Bed {
 public:
  explicit Bed(uint64_t cache_bytes) {
    if (const char* given = std::getenv("TURBINE_BENCH_FILE")) {
      file_ = given;
    } else {
      file_ = fmt::format("chunk_store_bench.{}", ::getpid());
    }
    keep_file_ = std::filesystem::exists(file_);
    directory_ = file_ + ".kv";
    std::filesystem::remove_all(directory_);
    device_ = must(io::open_uring_device(reactor_, file_, keep_file_ ? 0 : kFileBytes,
                                         {.create = !keep_file_}));
    const journal::Options log{.region_bytes = kJournalBytes};
    must(reactor_.run(journal::Journal::format(*device_, log)));
    kv_ = must(kv::open_rocks_kv(reactor_.executor(), reactor_.pool(), {.directory = directory_}));
    store_ = must(ChunkStore::open(reactor_.executor(), *device_, *kv_,
                                   {.area_offset = kJournalBytes,
                                    .area_bytes = device_->size_bytes() - kJournalBytes,
                                    .cache_bytes = cache_bytes}));
    journal_ = must(reactor_.run(
        journal::Journal::open(reactor_.executor(), *device_, log, {}, nullptr, nullptr)));
    must(store_->start(*journal_));
  }
  ~Bed() {
    must(reactor_.run(store_->stop()));
    must(reactor_.run(journal_->stop()));
    store_.reset();
    journal_.reset();
    kv_.reset();
    device_.reset();
    std::filesystem::remove_all(directory_);
    if (!keep_file_) ::unlink(file_.c_str());
  }

  /// All that was put is in the journal only; nobody replays it, so its space is free again.
  void forget_log() { journal_->set_recovery_position(journal_->end()); }

  io::Reactor& reactor() { return reactor_; }
  ChunkStore& store() { return *store_; }

 private:
  io::Reactor reactor_;
  std::string file_, directory_;
  bool keep_file_ = false;
  std::unique_ptr<io::Device> device_;
  std::unique_ptr<kv::Kv> kv_;
  std::unique_ptr<ChunkStore> store_;
  std::unique_ptr<journal::Journal> journal_;
};

ShardId shard_of(uint64_t number) {
  return {StripeId::make(PartitionId(1), number), 0};
}

struct Work {
  ChunkStore& store;
  uint32_t bytes = 0;  // of a shard, or of a read
  uint64_t shards = 0;
  uint32_t shard_bytes = 0;
  uint64_t left = 0;  // operations to begin
  uint64_t next = 0;  // number of the next shard to put
  Buffer data = {};
  Rng rng{1};
};

Task<> put_in_turn(Work& work) {
  while (work.left > 0) {
    --work.left;
    const ShardInfo info{shard_of(work.next++), GroupId(1), 1, work.bytes};
    CO_TRY(co_await work.store.put(info, work.data));
  }
  co_return Result<>{};
}

Task<> read_in_turn(Work& work) {
  while (work.left > 0) {
    --work.left;
    const ShardId shard = shard_of(work.rng.below(work.shards));
    const auto offset =
        static_cast<uint32_t>(work.rng.below(work.shard_bytes / work.bytes)) * work.bytes;
    const Buffer data = CO_TRY(co_await work.store.read(shard, offset, work.bytes));
    benchmark::DoNotOptimize(data.data());
  }
  co_return Result<>{};
}

Task<> run_many(Work& work, Task<> (*worker)(Work&), uint64_t workers, uint64_t operations) {
  work.left = operations;
  std::vector<Task<>> tasks;
  tasks.reserve(workers);
  for (uint64_t i = 0; i < workers; ++i) tasks.push_back(worker(work));
  for (auto& result : co_await when_all(std::move(tasks))) CO_TRY(std::move(result));
  co_return Result<>{};
}

Task<> free_all(Work& work) {
  std::vector<ShardId> shards;
  for (const ShardInfo& info : work.store.list(std::nullopt, SIZE_MAX)) {
    shards.push_back(info.shard);
  }
  for (size_t at = 0; at < shards.size(); at += 1000) {
    const size_t end = std::min(shards.size(), at + 1000);
    CO_TRY(co_await work.store.free({shards.begin() + static_cast<ptrdiff_t>(at),
                                     shards.begin() + static_cast<ptrdiff_t>(end)}));
  }
  co_return Result<>{};
}

void report(benchmark::State& state, uint64_t operations, uint64_t bytes, double cpu) {
  const auto count = static_cast<double>(operations);
  state.counters["ops/s"] = benchmark::Counter(count, benchmark::Counter::kIsRate);
  state.counters["cpu_us"] = cpu * 1e6 / count;
  state.SetBytesProcessed(static_cast<int64_t>(operations * bytes));
}

/// Arguments: bytes of a shard, puts in flight.
void chunk_put(benchmark::State& state) {
  Bed bed(0);
  Work work{bed.store(), static_cast<uint32_t>(state.range(0))};
  work.data = Buffer::allocate(work.bytes);
  work.rng.fill(work.data.mutable_view());
  const uint64_t per_round = work.bytes == kShardBytesMax ? 1024 : 4096;
  uint64_t operations = 0;
  double cpu = 0;
  for (auto _ : state) {
    const double before = cpu_seconds();
    must(bed.reactor().run(
        run_many(work, put_in_turn, static_cast<uint64_t>(state.range(1)), per_round)));
    cpu += cpu_seconds() - before;
    operations += per_round;
    state.PauseTiming();
    bed.forget_log();
    if (bed.store().capacity().used_bytes > kFillBytes) must(bed.reactor().run(free_all(work)));
    bed.forget_log();
    state.ResumeTiming();
  }
  report(state, operations, work.bytes, cpu);
}
BENCHMARK(chunk_put)
    ->ArgsProduct({{4096, 262144}, {1, 8, 32}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

/// Arguments: bytes of a read, reads in flight, whether all shards are in the cache.
void chunk_read(benchmark::State& state) {
  const bool cached = state.range(2) != 0;
  const uint64_t fill = cached ? uint64_t{64} << 20 : kFillBytes;
  Bed bed(cached ? 2 * fill : 0);
  Work work{bed.store(), kShardBytesMax};
  work.data = Buffer::allocate(work.bytes);
  work.rng.fill(work.data.mutable_view());
  must(bed.reactor().run(run_many(work, put_in_turn, 8, fill / kShardBytesMax)));
  work.shards = fill / kShardBytesMax;
  work.shard_bytes = kShardBytesMax;
  work.bytes = static_cast<uint32_t>(state.range(0));
  constexpr uint64_t kPerRound = 4096;
  uint64_t operations = 0;
  const double cpu = cpu_seconds();
  for (auto _ : state) {
    must(bed.reactor().run(
        run_many(work, read_in_turn, static_cast<uint64_t>(state.range(1)), kPerRound)));
    operations += kPerRound;
  }
  report(state, operations, work.bytes, cpu_seconds() - cpu);
}
BENCHMARK(chunk_read)
    ->ArgsProduct({{4096, 262144}, {1, 8, 32}, {0, 1}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

/// The checksums of a whole shard, as each put and each read past the cache computes them.
void shard_checksums(benchmark::State& state) {
  const auto bytes = static_cast<uint32_t>(state.range(0));
  Buffer data = Buffer::allocate(bytes);
  Rng(1).fill(data.mutable_view());
  const ShardInfo info{shard_of(1), GroupId(1), 1, bytes};
  for (auto _ : state) benchmark::DoNotOptimize(block_checksums(info, 7, data.view()));
  state.SetBytesProcessed(state.iterations() * bytes);
}
BENCHMARK(shard_checksums)->Arg(4096)->Arg(16384)->Arg(262144);

}  // namespace
}  // namespace turbine::chunk
