// Small single-threaded primitives for coroutines: OneShot, Event, Semaphore, when_all.
// Wake-ups are posted to the executor in order, never run inside the caller.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/task.hpp"

namespace turbine {

using UseAwaitable = asio::use_awaitable_t<Executor>;

/// co_await an operation of Asio: its error comes as the first of a tuple, not as an exception.
inline constexpr auto kAwait = asio::as_tuple(UseAwaitable{});

/// Suspends the calling coroutine and hands `start` a callback that resumes it (once, on its
/// executor, from any place on the reactor's thread).
template <class Start>
asio::awaitable<void, Executor> suspend(Executor executor, Start start) {
  UseAwaitable token;
  co_await asio::async_initiate<UseAwaitable, void()>(
      [executor](auto handler, Start begin) {
        begin([executor, handler = std::move(handler)]() mutable {
          asio::post(executor, std::move(handler));
        });
      },
      token, std::move(start));
}

/// A value that is set once and awaited by at most one coroutine; copies share the state, so the
/// setter may outlive the waiter and the reverse. The first set() wins.
template <class T = void>
class OneShot {
 public:
  explicit OneShot(Executor executor) : state_(std::make_shared<State>(executor)) {}

  /// Returns false when it was set before.
  bool set(Result<T> value) {
    if (state_->value.has_value()) return false;
    state_->value.emplace(std::move(value));
    if (state_->wake) std::exchange(state_->wake, nullptr)();
    return true;
  }
  bool is_set() const { return state_->value.has_value(); }

  Task<T> wait() { return wait_on(state_); }
  /// As wait(), but Errc::timeout after `deadline`.
  Task<T> wait_until(Clock& clock, TimePoint deadline) {
    return wait_until_on(state_, clock, deadline);
  }

 private:
  struct State {
    explicit State(Executor e) : executor(e) {}
    Executor executor;
    std::optional<Result<T>> value;
    std::move_only_function<void()> wake;
  };
  static Task<T> wait_on(std::shared_ptr<State> state) {
    if (!state->value.has_value()) {
      co_await suspend(state->executor, [state](auto resume) { state->wake = std::move(resume); });
    }
    co_return std::move(*state->value);
  }
  static Task<T> wait_until_on(std::shared_ptr<State> state, Clock& clock, TimePoint deadline) {
    if (!state->value.has_value()) {
      const TimerId timer = clock.call_at(deadline, [state] {
        if (state->value.has_value()) return;
        state->value.emplace(fail(Errc::timeout, "deadline passed"));
        if (state->wake) std::exchange(state->wake, nullptr)();
      });
      co_await suspend(state->executor, [state](auto resume) { state->wake = std::move(resume); });
      clock.cancel(timer);
    }
    co_return std::move(*state->value);
  }
  std::shared_ptr<State> state_;
};

/// Coroutines wait for the next notify_all(). Check the condition again after waking.
class Event {
 public:
  explicit Event(Executor executor) : executor_(executor) {}
  Task<> wait() {
    co_await suspend(executor_, [this](auto resume) { waiters_.emplace_back(std::move(resume)); });
    co_return Result<>{};
  }
  void notify_all() {
    auto waiters = std::exchange(waiters_, {});
    for (auto& wake : waiters) wake();
  }

 private:
  Executor executor_;
  std::vector<std::move_only_function<void()>> waiters_;
};

/// Counts units of something bounded (requests, bytes). First come, first served.
class Semaphore {
 public:
  Semaphore(Executor executor, size_t units) : executor_(executor), available_(units) {}
  Task<> acquire(size_t units = 1) {
    if (waiters_.empty() && available_ >= units) {
      available_ -= units;
      co_return Result<>{};
    }
    co_await suspend(
        executor_, [this, units](auto resume) { waiters_.push_back({units, std::move(resume)}); });
    co_return Result<>{};
  }
  bool try_acquire(size_t units = 1) {
    if (!waiters_.empty() || available_ < units) return false;
    available_ -= units;
    return true;
  }
  void release(size_t units = 1) {
    available_ += units;
    while (!waiters_.empty() && waiters_.front().units <= available_) {
      available_ -= waiters_.front().units;
      auto wake = std::move(waiters_.front().wake);
      waiters_.pop_front();
      wake();
    }
  }
  size_t available() const { return available_; }

 private:
  struct Waiter {
    size_t units;
    std::move_only_function<void()> wake;
  };
  Executor executor_;
  size_t available_;
  std::deque<Waiter> waiters_;
};

namespace async_detail {
template <class T>
struct AllState {
  explicit AllState(size_t count) : results(count), left(count) {}
  std::vector<std::optional<Result<T>>> results;
  size_t left;
  std::move_only_function<void()> wake;
};
}  // namespace async_detail

/// Runs all tasks at once and returns their results in order, when the last has ended.
template <class T>
asio::awaitable<std::vector<Result<T>>, Executor> when_all(std::vector<Task<T>> tasks) {
  const Executor executor = co_await asio::this_coro::executor;
  auto state = std::make_shared<async_detail::AllState<T>>(tasks.size());
  for (size_t i = 0; i < tasks.size(); ++i) {
    asio::co_spawn(executor, std::move(tasks[i]),
                   [state, i](std::exception_ptr error, Result<T> result) {
                     if (error) std::rethrow_exception(error);
                     state->results[i].emplace(std::move(result));
                     if (--state->left == 0 && state->wake) std::exchange(state->wake, nullptr)();
                   });
  }
  if (state->left > 0) {
    co_await suspend(executor, [state](auto resume) { state->wake = std::move(resume); });
  }
  std::vector<Result<T>> results;
  results.reserve(state->results.size());
  for (auto& result : state->results) results.push_back(std::move(*result));
  co_return results;
}

}  // namespace turbine
