#include "base/clock.hpp"

#include <boost/asio/steady_timer.hpp>
#include <ctime>

#include "base/async.hpp"

namespace turbine {
namespace {

int64_t read_clock_ns(clockid_t id) {
  timespec time{};
  ::clock_gettime(id, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  explicit SystemClock(Executor executor) : executor_(executor), timer_(executor) {}

  TimePoint now() const override { return TimePoint(Duration(read_clock_ns(CLOCK_BOOTTIME))); }
  WallTime wall_now() const override { return {read_clock_ns(CLOCK_REALTIME)}; }
  Executor executor() override { return executor_; }

  TimerId call_at(TimePoint at, std::move_only_function<void()> callback) override {
    const TimerId id = timers_.add(at, std::move(callback));
    arm();
    return id;
  }
  void cancel(TimerId id) override { timers_.cancel(id); }

 private:
  void arm() {
    if (timers_.empty()) return;
    const TimePoint next = timers_.next();
    if (armed_ && armed_at_ <= next) return;
    armed_ = true;
    armed_at_ = next;
    timer_.expires_after(std::max(Duration(0), next - now()));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      armed_ = false;
      timers_.run_due(now());
      arm();
    });
  }

  using Timer = boost::asio::basic_waitable_timer<
      std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  Executor executor_;
  Timer timer_;
  TimerQueue timers_;
  bool armed_ = false;
  TimePoint armed_at_{};
};

}  // namespace

Task<> Clock::sleep_until(TimePoint at) {
  OneShot<> fired(executor());
  call_at(at, [fired]() mutable { fired.set({}); });
  co_return co_await fired.wait();
}

TimerId TimerQueue::add(TimePoint at, std::move_only_function<void()> callback) {
  const TimerId id{at, next_sequence_++};
  timers_.emplace(id, std::move(callback));
  return id;
}

size_t TimerQueue::run_due(TimePoint now) {
  const uint64_t limit = next_sequence_;
  size_t count = 0;
  while (!timers_.empty() && timers_.begin()->first.at <= now) {
    auto it = timers_.begin();
    while (it != timers_.end() && it->first.at <= now && it->first.sequence >= limit) ++it;
    if (it == timers_.end() || it->first.at > now) break;
    auto callback = std::move(it->second);
    timers_.erase(it);
    callback();
    ++count;
  }
  return count;
}

std::unique_ptr<Clock> make_system_clock(Executor executor) {
  return std::make_unique<SystemClock>(executor);
}

}  // namespace turbine
