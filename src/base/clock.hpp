// Clock: the seam to time. Timers and deadlines go through it, so that simulation can run an array
// in virtual time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "base/task.hpp"

namespace turbine {

using Duration = std::chrono::nanoseconds;
/// Monotonic time since an unspecified start (CLOCK_BOOTTIME in processes).
using TimePoint = std::chrono::time_point<struct MonotonicTag, Duration>;

/// Nanoseconds since the Unix epoch; for timestamps that users see, never for leases.
struct WallTime {
  int64_t ns = 0;
  auto operator<=>(const WallTime&) const = default;
};

/// Identifies a pending timer; default-constructed means none.
struct TimerId {
  TimePoint at{};
  uint64_t sequence = 0;
  auto operator<=>(const TimerId&) const = default;
};

/// One per reactor; used from its thread only.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wall_now() const = 0;
  /// Calls `callback` once on the reactor's thread when now() ≥ `at`.
  virtual TimerId call_at(TimePoint at, std::move_only_function<void()> callback) = 0;
  /// Drops a pending timer; no effect when it has fired.
  virtual void cancel(TimerId id) = 0;
  virtual Executor executor() = 0;

  /// Suspends until now() ≥ `at`.
  Task<> sleep_until(TimePoint at);
  Task<> sleep_for(Duration duration) { return sleep_until(now() + duration); }
};

/// Ordered timers shared by both clocks. Equal times fire in the order they were set.
class TimerQueue {
 public:
  TimerId add(TimePoint at, std::move_only_function<void()> callback);
  void cancel(TimerId id) { timers_.erase(id); }
  bool empty() const { return timers_.empty(); }
  TimePoint next() const { return timers_.begin()->first.at; }
  /// Runs what is due at `now`, at most those set before the call. Returns how many ran.
  size_t run_due(TimePoint now);
  void clear() { timers_.clear(); }

 private:
  std::map<TimerId, std::move_only_function<void()>> timers_;
  uint64_t next_sequence_ = 1;
};

/// The real one: CLOCK_BOOTTIME and one asio timer.
std::unique_ptr<Clock> make_system_clock(Executor executor);

}  // namespace turbine
