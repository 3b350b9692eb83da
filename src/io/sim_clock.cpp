#include "io/sim_clock.hpp"

namespace turbine::io {
namespace {

constexpr int64_t kWallStartNs = int64_t{1'767'225'600} * 1'000'000'000;

}  // namespace

WallTime SimClock::wall_now() const {
  return {kWallStartNs + (now_.time_since_epoch() + wall_offset_).count()};
}

TimerId SimClock::call_at(TimePoint at, std::move_only_function<void()> callback) {
  return timers_.add(at, std::move(callback));
}

void SimClock::run_until_idle() {
  while (true) {
    context_.restart();
    const size_t handlers = context_.poll();
    const size_t timers = timers_.run_due(now_);
    if (handlers == 0 && timers == 0) return;
  }
}

bool SimClock::step() {
  run_until_idle();
  if (timers_.empty()) return false;
  now_ = std::max(now_, timers_.next());
  run_until_idle();
  return true;
}

void SimClock::advance(Duration duration) {
  const TimePoint end = now_ + duration;
  run_until_idle();
  while (!timers_.empty() && timers_.next() <= end) step();
  now_ = std::max(now_, end);
  run_until_idle();
}

bool SimClock::run_until(std::move_only_function<bool()> done, Duration limit) {
  const TimePoint end = now_ + limit;
  run_until_idle();
  while (!done()) {
    if (timers_.empty() || timers_.next() > end) return false;
    step();
  }
  return true;
}

bool SimClock::run_to_end(Task<> task, Duration limit) {
  auto ended = std::make_shared<bool>(false);
  asio::co_spawn(context_, std::move(task), [ended](std::exception_ptr error, Result<>) {
    if (error) std::rethrow_exception(error);
    *ended = true;
  });
  return run_until([&] { return *ended; }, limit);
}

}  // namespace turbine::io
