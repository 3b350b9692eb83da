#include "io/sim_clock.hpp"

#include <gtest/gtest.h>

#include "base/async.hpp"

namespace turbine::io {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Task<int> after(Clock& clock, Duration delay, int value) {
  CO_TRY(co_await clock.sleep_for(delay));
  co_return value;
}

TEST(SimClock, JumpsOverWaitingTime) {
  SimClock clock;
  const TimePoint start = clock.now();
  EXPECT_EQ(clock.run(after(clock, seconds(1800), 7)).value(), 7);
  EXPECT_EQ(clock.now() - start, seconds(1800));
}

TEST(SimClock, StandsStillWhileHandlersRun) {
  SimClock clock;
  bool fired = false;
  clock.call_at(clock.now() + milliseconds(1), [&] { fired = true; });
  clock.run_until_idle();
  EXPECT_FALSE(fired);
  clock.advance(milliseconds(1));
  EXPECT_TRUE(fired);
}

TEST(SimClock, RunsTimersInOrderOfTimeThenOfSetting) {
  SimClock clock;
  std::string trace;
  clock.call_at(clock.now() + seconds(2), [&] { trace += 'c'; });
  clock.call_at(clock.now() + seconds(1), [&] { trace += 'a'; });
  clock.call_at(clock.now() + seconds(1), [&] { trace += 'b'; });
  const TimerId dropped = clock.call_at(clock.now() + seconds(1), [&] { trace += 'x'; });
  clock.cancel(dropped);
  clock.advance(seconds(3));
  EXPECT_EQ(trace, "abc");
}

Task<> wait_for(OneShot<> shot) {
  co_return co_await shot.wait();
}

TEST(SimClock, ReportsATaskThatCanNeverEnd) {
  SimClock clock;
  OneShot<> never(clock.executor());
  EXPECT_TRUE(clock.run(wait_for(never)).failed_with(Errc::timeout));
  never.set(Result<>{});  // a coroutine that is left waiting would leak
  clock.run_until_idle();
}

TEST(SimClock, ReportsATaskThatTakesTooLong) {
  SimClock clock;
  EXPECT_TRUE(clock.run(after(clock, hours(2), 1), hours(1)).failed_with(Errc::timeout));
  clock.advance(hours(2));
}

}  // namespace
}  // namespace turbine::io
