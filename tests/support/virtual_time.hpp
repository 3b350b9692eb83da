// VirtualTime: a Clock for tests whose time moves only when nothing else is left to do.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/task.hpp"

namespace turbine::test {

class VirtualTime final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  WallTime wall_now() const override {
    return {1'700'000'000'000'000'000 + now_.time_since_epoch().count()};
  }
  TimerId call_at(TimePoint at, std::move_only_function<void()> callback) override {
    return timers_.add(at, std::move(callback));
  }
  void cancel(TimerId id) override { timers_.cancel(id); }
  Executor executor() override { return io_.get_executor(); }

  /// Runs `task` to its end, moving time as needed.
  template <class T>
  Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    asio::co_spawn(io_.get_executor(), std::move(task),
                   [&out](std::exception_ptr error, Result<T> result) {
                     if (error) std::rethrow_exception(error);
                     out.emplace(std::move(result));
                   });
    while (!out) {
      if (step()) continue;
      ADD_FAILURE() << "the task waits for something that never comes";
      return fail(Errc::timeout, "stuck");
    }
    return std::move(*out);
  }
  /// Runs what is ready and all timers up to `until`.
  void run_until(TimePoint until) {
    for (;;) {
      io_.restart();
      if (io_.poll() > 0) continue;
      if (timers_.empty() || timers_.next() > until) break;
      advance();
    }
    now_ = std::max(now_, until);
  }

 private:
  bool step() {
    io_.restart();
    if (io_.poll() > 0) return true;
    if (timers_.empty()) return false;
    advance();
    return true;
  }
  void advance() {
    now_ = std::max(now_, timers_.next());
    timers_.run_due(now_);
  }
  asio::io_context io_{1};
  TimePoint now_{std::chrono::seconds(1000)};
  TimerQueue timers_;
};

}  // namespace turbine::test
