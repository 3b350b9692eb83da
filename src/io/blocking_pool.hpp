// BlockingPool: the only threads of a process beside the reactor's.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/async.hpp"

namespace turbine::io {

/// Runs blocking calls (cold RocksDB reads, flush waits) away from the reactor. Threads start with
/// the first call and at most `threads_max` exist. With `threads_max` 0 (simulation) every call
/// runs in place, on the reactor. Use from the reactor's thread; the executor's context must
/// outlive it. The destructor finishes what was queued.
class BlockingPool {
 public:
  BlockingPool(Executor executor, size_t threads_max);
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Runs `fn`, which returns Result<T>, on a thread and resumes the caller on the reactor.
  template <class F, class R = std::invoke_result_t<F&>>
  Task<typename R::value_type> offload(F fn) {
    if (threads_max_ == 0) co_return fn();
    auto result = std::make_shared<std::optional<R>>();
    co_await suspend(executor_, [this, result, &fn](auto resume) {
      submit([result, fn = std::move(fn), resume = std::move(resume)]() mutable {
        result->emplace(fn());
        resume();
      });
    });
    co_return std::move(**result);
  }

 private:
  void submit(std::move_only_function<void()> job);
  void work();

  Executor executor_;
  const size_t threads_max_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::deque<std::move_only_function<void()>> jobs_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace turbine::io
