#include "base/async.hpp"

#include <gtest/gtest.h>

#include <string>

namespace turbine {
namespace {

using std::chrono::milliseconds;

struct Loop {
  asio::io_context io{1};
  std::unique_ptr<Clock> clock = make_system_clock(io.get_executor());
  Gate gate{io.get_executor()};
};

Task<int> after(Clock& clock, int delay_ms, int value) {
  CO_TRY(co_await clock.sleep_for(milliseconds(delay_ms)));
  if (value < 0) co_return fail(Errc::busy, "value {}", value);
  co_return value;
}

Task<> collect(Clock& clock, std::vector<Result<int>>& out) {
  std::vector<Task<int>> tasks;
  tasks.push_back(after(clock, 3, 1));
  tasks.push_back(after(clock, 1, -1));
  tasks.push_back(after(clock, 0, 3));
  out = co_await when_all(std::move(tasks));
  co_return Result<>{};
}

TEST(WhenAll, ReturnsResultsInOrderOfTasks) {
  Loop loop;
  std::vector<Result<int>> results;
  loop.gate.spawn("test", collect(*loop.clock, results));
  loop.io.run();
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].value(), 1);
  EXPECT_TRUE(results[1].failed_with(Errc::busy));
  EXPECT_EQ(results[2].value(), 3);
}

Task<> await_deadline(Clock& clock, OneShot<int> shot, Result<int>& out) {
  out = co_await shot.wait_until(clock, clock.now() + milliseconds(2));
  co_return Result<>{};
}

TEST(OneShot, TimesOutAndIgnoresTheLateValue) {
  Loop loop;
  OneShot<int> shot(loop.io.get_executor());
  Result<int> result = 0;
  loop.gate.spawn("test", await_deadline(*loop.clock, shot, result));
  loop.io.run();
  EXPECT_TRUE(result.failed_with(Errc::timeout));
  EXPECT_FALSE(shot.set(1));
}

Task<> hold(Semaphore& semaphore, Clock& clock, std::string& trace, char name) {
  CO_TRY(co_await semaphore.acquire());
  trace.push_back(name);
  CO_TRY(co_await clock.sleep_for(milliseconds(1)));
  semaphore.release();
  co_return Result<>{};
}

TEST(Semaphore, ServesInOrderOfArrival) {
  Loop loop;
  Semaphore semaphore(loop.io.get_executor(), 1);
  std::string trace;
  for (char name : {'a', 'b', 'c'}) {
    loop.gate.spawn("test", hold(semaphore, *loop.clock, trace, name));
  }
  loop.io.run();
  EXPECT_EQ(trace, "abc");
}

TEST(Gate, CloseWaitsForTheLastCoroutine) {
  Loop loop;
  int value = 0;
  Gate closer(loop.io.get_executor());
  auto slow = [](Clock& clock, int& out) -> Task<> {
    out = CO_TRY(co_await after(clock, 2, 7));
    co_return Result<>{};
  };
  auto stop = [](Gate& gate, int& out) -> Task<> {
    CO_TRY(co_await gate.close());
    EXPECT_EQ(out, 7);
    co_return Result<>{};
  };
  loop.gate.spawn("slow", slow(*loop.clock, value));
  closer.spawn("stop", stop(loop.gate, value));
  loop.io.run();
  EXPECT_EQ(closer.count(), 0U);
}

}  // namespace
}  // namespace turbine
