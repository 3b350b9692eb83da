// The journal on a real file, against the floor: one write and one flush, again and again.
//   build/journal_bench            in the directory whose disk is meant
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/async.hpp"
#include "io/reactor.hpp"
#include "io/uring_device.hpp"
#include "journal/journal.hpp"

namespace turbine::journal {
namespace {

constexpr uint64_t kBytes = uint64_t{64} << 20;

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Bench {
  io::Reactor reactor;
  std::string path = "journal_bench." + std::to_string(::getpid());
  std::unique_ptr<io::Device> device =
      io::open_uring_device(reactor, path, kBytes, {.create = true}).value();
  Options options{.region_bytes = kBytes, .segment_bytes = uint64_t{8} << 20};

  Bench() {
    if (!reactor.run(Journal::format(*device, options)).ok()) std::abort();
  }
  ~Bench() { ::unlink(path.c_str()); }
};

Task<> append_in_turn(Journal& journal, size_t bytes, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    Record record{RecordType::entry, PartitionId(1), Term(1), Lsn(i), std::string(bytes, 'x')};
    const Position position = CO_TRY(co_await journal.append(std::move(record)));
    journal.set_recovery_position(position);
  }
  co_return Result<>{};
}

Task<> append_from_many(Journal& journal, size_t bytes, uint64_t writers, uint64_t count) {
  std::vector<Task<>> tasks;
  tasks.reserve(writers);
  for (uint64_t i = 0; i < writers; ++i) tasks.push_back(append_in_turn(journal, bytes, count));
  for (auto& result : co_await when_all(std::move(tasks))) CO_TRY(std::move(result));
  co_return Result<>{};
}

/// Arguments: bytes of a record, appends in flight.
void journal_append(benchmark::State& state) {
  Bench bench;
  auto journal = bench.reactor
                     .run(Journal::open(bench.reactor.executor(), *bench.device, bench.options, {},
                                        nullptr, nullptr))
                     .value();
  const auto bytes = static_cast<size_t>(state.range(0));
  const auto writers = static_cast<uint64_t>(state.range(1));
  constexpr uint64_t kPerWriter = 50;
  uint64_t records = 0;
  const double cpu = cpu_seconds();
  for (auto _ : state) {
    if (!bench.reactor.run(append_from_many(*journal, bytes, writers, kPerWriter)).ok()) {
      state.SkipWithError("append failed");
    }
    records += writers * kPerWriter;
  }
  const auto n = static_cast<double>(records);
  state.counters["records/s"] = benchmark::Counter(n, benchmark::Counter::kIsRate);
  state.counters["cpu_us"] = (cpu_seconds() - cpu) * 1e6 / n;
  state.counters["records/flush"] = n / static_cast<double>(journal->counters().flushes);
  if (!bench.reactor.run(journal->stop()).ok()) std::abort();
}
BENCHMARK(journal_append)
    ->ArgsProduct({{200, 4096}, {1, 8, 64, 256}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

Task<> write_and_flush(io::Device& device, Buffer page, uint64_t count, bool in_one_call) {
  for (uint64_t i = 0; i < count; ++i) {
    if (in_one_call) {
      CO_TRY(co_await device.write_durably(i % 1024 * kPageBytes, page));
    } else {
      CO_TRY(co_await device.write(i % 1024 * kPageBytes, page));
      CO_TRY(co_await device.flush());
    }
  }
  co_return Result<>{};
}

/// Argument: whether the kernel starts the flush.
void floor_write_and_flush(benchmark::State& state) {
  Bench bench;
  constexpr uint64_t kCount = 50;
  uint64_t done = 0;
  const double cpu = cpu_seconds();
  for (auto _ : state) {
    if (!bench.reactor
             .run(write_and_flush(*bench.device, Buffer::zeroed(kPageBytes), kCount,
                                  state.range(0) != 0))
             .ok()) {
      state.SkipWithError("write failed");
    }
    done += kCount;
  }
  state.counters["flushes/s"] =
      benchmark::Counter(static_cast<double>(done), benchmark::Counter::kIsRate);
  state.counters["cpu_us"] = (cpu_seconds() - cpu) * 1e6 / static_cast<double>(done);
}
BENCHMARK(floor_write_and_flush)->Arg(0)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace turbine::journal
