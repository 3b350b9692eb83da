// SimClock: virtual time for tests and simulation.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/task.hpp"

namespace turbine::io {

/// A Clock that moves only when told, or when nothing else is left to do: an hour of waiting costs
/// nothing. Owns its io_context; one thread; the same program gives the same run every time. What
/// uses executor() must be destroyed before it.
///
///   SimClock clock;
///   EXPECT_TRUE(clock.run(subject.do_something()).ok());
class SimClock final : public Clock {
 public:
  SimClock() = default;
  ~SimClock() override { timers_.clear(); }
  SimClock(const SimClock&) = delete;
  SimClock& operator=(const SimClock&) = delete;

  TimePoint now() const override { return now_; }
  /// Virtual time since 2026-01-01T00:00:00Z, and what step_wall() has added.
  WallTime wall_now() const override;
  /// Somebody sets the wall clock; now() does not notice.
  void step_wall(Duration by) { wall_offset_ += by; }
  TimerId call_at(TimePoint at, std::move_only_function<void()> callback) override;
  void cancel(TimerId id) override { timers_.cancel(id); }
  Executor executor() override { return context_.get_executor(); }

  /// Runs all handlers and timers that are due now; time stands still.
  void run_until_idle();
  /// Runs what is due, then jumps to the next timer and runs it. False when no timer is left.
  bool step();
  /// Moves time by `duration`, running everything on the way at its moment.
  void advance(Duration duration);
  /// step()s until `done` holds. False when nothing is left to run or `limit` has passed.
  bool run_until(std::move_only_function<bool()> done, Duration limit = std::chrono::hours(1));

  /// Runs `task` to its end. Errc::timeout when it is still waiting though nothing is left to run,
  /// or after `limit`; let it end later all the same, a coroutine left waiting for ever leaks.
  template <class T>
  Result<T> run(Task<T> task, Duration limit = std::chrono::hours(1)) {
    auto result = std::make_shared<std::optional<Result<T>>>();
    if (!run_to_end(keep_result(std::move(task), result), limit)) {
      return fail(Errc::timeout, "the task still waits, though nothing is left to run");
    }
    return std::move(**result);
  }

 private:
  // co_spawn() is slow to compile: only tasks of this one type go through it.
  template <class T>
  static Task<> keep_result(Task<T> task, std::shared_ptr<std::optional<Result<T>>> result) {
    result->emplace(co_await std::move(task));
    co_return Result<>{};
  }
  bool run_to_end(Task<> task, Duration limit);

  asio::io_context context_{1};
  TimerQueue timers_;
  TimePoint now_{};
  Duration wall_offset_{};
};

}  // namespace turbine::io
