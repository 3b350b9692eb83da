#include "io/reactor.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "io/sim_clock.hpp"

namespace turbine::io {
namespace {

Task<std::thread::id> where_it_runs(BlockingPool& pool) {
  co_return co_await pool.offload(
      []() -> Result<std::thread::id> { return std::this_thread::get_id(); });
}

Task<> offload_and_compare(Reactor& reactor) {
  const auto reactor_thread = std::this_thread::get_id();
  const auto pool_thread = CO_TRY(co_await where_it_runs(reactor.pool()));
  EXPECT_NE(pool_thread, reactor_thread);
  EXPECT_EQ(std::this_thread::get_id(), reactor_thread);
  co_return Result<>{};
}

TEST(Reactor, OffloadsToAThreadAndResumesOnItsOwn) {
  Reactor reactor;
  EXPECT_TRUE(reactor.run(offload_and_compare(reactor)).ok());
}

Task<> offload_many(Reactor& reactor) {
  std::vector<Task<int>> tasks;
  tasks.reserve(200);
  for (int i = 0; i < 200; ++i) {
    tasks.push_back(reactor.offload([i]() -> Result<int> { return i; }));
  }
  const auto results = co_await when_all(std::move(tasks));
  for (int i = 0; i < 200; ++i) EXPECT_EQ(results[static_cast<size_t>(i)].value(), i);
  co_return Result<>{};
}

TEST(Reactor, OffloadsManyCallsAtOnce) {
  Reactor reactor(2);
  EXPECT_TRUE(reactor.run(offload_many(reactor)).ok());
}

Task<> offload_failure(Reactor& reactor) {
  const auto result = co_await reactor.offload([]() -> Result<> { return fail(Errc::io, "no"); });
  EXPECT_TRUE(result.failed_with(Errc::io));
  co_return Result<>{};
}

TEST(Reactor, HandsOnTheErrorOfAnOffloadedCall) {
  Reactor reactor;
  EXPECT_TRUE(reactor.run(offload_failure(reactor)).ok());
}

TEST(Reactor, CallsTheHookOfASignal) {
  Reactor reactor;
  int seen = 0;
  reactor.on_signal({SIGUSR1}, [&](int signal) {
    seen = signal;
    reactor.stop();
  });
  ::raise(SIGUSR1);
  reactor.run();
  EXPECT_EQ(seen, SIGUSR1);
}

TEST(BlockingPool, RunsInPlaceWithoutThreads) {
  SimClock clock;
  BlockingPool pool(clock.executor(), 0);
  EXPECT_EQ(clock.run(where_it_runs(pool)).value(), std::this_thread::get_id());
}

}  // namespace
}  // namespace turbine::io
