// Reactor: the one thread and the one event loop of a process.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "io/blocking_pool.hpp"

namespace turbine::io {

/// Owns the io_context, the system clock and the blocking pool. A process has one, sleeps only in
/// its epoll, and everything made with it (devices, servers) is destroyed before it. All calls come
/// from the thread that runs it, but stop(), which any thread and no signal handler may call.
class Reactor {
 public:
  explicit Reactor(size_t pool_threads_max = 4);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  asio::io_context& context() { return context_; }
  Executor executor() { return context_.get_executor(); }
  Clock& clock() { return *clock_; }
  BlockingPool& pool() { return pool_; }

  /// BlockingPool::offload of this reactor's pool.
  template <class F>
  auto offload(F fn) {
    return pool_.offload(std::move(fn));
  }

  /// Runs until stop(), also when there is nothing to do.
  void run();
  /// Makes run() return after the handler that is running now.
  void stop();
  /// Runs until `task` has ended and returns its result; Errc::closed when stopped before.
  template <class T>
  Result<T> run(Task<T> task) {
    auto result = std::make_shared<std::optional<Result<T>>>();
    asio::co_spawn(context_, std::move(task),
                   [this, result](std::exception_ptr error, Result<T> value) {
                     if (error) std::rethrow_exception(error);
                     result->emplace(std::move(value));
                     stop();
                   });
    run();
    if (!result->has_value()) return fail(Errc::closed, "the reactor was stopped");
    return std::move(**result);
  }

  /// Calls `callback` on the reactor each time one of `signals` arrives, in place of the signal's
  /// default effect: on_signal({SIGTERM, SIGINT}, …) for a clean stop.
  void on_signal(std::initializer_list<int> signals,
                 std::move_only_function<void(int signal)> callback);

 private:
  struct SignalHook {
    SignalHook(Executor executor, std::move_only_function<void(int)> call)
        : signals(executor), callback(std::move(call)) {}
    asio::basic_signal_set<Executor> signals;
    std::move_only_function<void(int)> callback;
  };
  void wait_for_signal(SignalHook& hook);

  asio::io_context context_{1};
  std::unique_ptr<Clock> clock_;
  BlockingPool pool_;
  std::deque<SignalHook> signal_hooks_;
};

}  // namespace turbine::io
