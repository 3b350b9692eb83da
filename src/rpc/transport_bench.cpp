// CPU of both ends, in one thread, for a payload that goes to a handler, by transport.
//   build/src/rpc/rpc_bench --benchmark_repetitions=5
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>

#include "base/async.hpp"
#include "io/reactor.hpp"
#include "rpc/rpc.hpp"
#include "rpc/tls_context.hpp"
#include "support/certificates.hpp"

namespace turbine::rpc {
namespace {

enum Kind : int64_t { kUnix, kTcp, kTls };

Task<Reply> take(Request) {
  co_return Reply{};
}

Task<> send_all(std::shared_ptr<Channel> channel, Buffer payload, int count, TimePoint deadline) {
  std::vector<Task<Reply>> calls;
  for (int i = 0; i < count; ++i) {
    Request request;
    request.payload = payload;
    calls.push_back(channel->call(std::move(request), deadline));
  }
  for (auto& reply : co_await when_all(std::move(calls))) CO_TRY(std::move(reply));
  co_return Result<>{};
}

/// Arguments: Kind, bytes of a payload. 16 calls at a time.
void send_payloads(benchmark::State& state) {
  constexpr int kCalls = 16;
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / fmt::format("turbine-rpc-bench-{}", ::getpid());
  std::filesystem::create_directory(directory);
  support::make_authority(directory, "ca");
  support::make_certificate(directory, "node", {.days = 90});
  const auto kind = static_cast<Kind>(state.range(0));
  TransportOptions options;
  if (kind == kTls) {
    options.tls =
        load_tls({directory / "node.pem", directory / "node.key", directory / "ca.pem"}).value();
  }
  io::Reactor reactor;
  auto transport = make_socket_transport(reactor.executor(), reactor.clock(), options);
  auto listener =
      transport
          ->listen(kind == kUnix ? "unix:" + (directory / "socket").string() : "tcp:127.0.0.1:0",
                   take)
          .value();
  const auto channel = transport->channel(listener->address());
  const auto bytes = static_cast<size_t>(state.range(1));
  const Buffer payload = Buffer::zeroed(bytes);
  for (auto _ : state) {
    const TimePoint deadline = reactor.clock().now() + std::chrono::seconds(30);
    if (!reactor.run(send_all(channel, payload, kCalls, deadline)).ok()) std::abort();
  }
  state.SetBytesProcessed(state.iterations() * kCalls * static_cast<int64_t>(bytes));
  state.counters["cpu_us_per_call"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kCalls / 1e6,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  if (!reactor.run(listener->stop()).ok() || !reactor.run(transport->stop()).ok()) std::abort();
  std::filesystem::remove_all(directory);
}

BENCHMARK(send_payloads)
    ->ArgNames({"unix0_tcp1_tls2", "bytes"})
    ->ArgsProduct({{kUnix, kTcp, kTls}, {4 << 10, 256 << 10, 1 << 20}})
    ->MeasureProcessCPUTime();

}  // namespace
}  // namespace turbine::rpc
