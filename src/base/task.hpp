// Task<T>: the coroutine type of the project, and Gate, which every spawn goes through.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <functional>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "base/result.hpp"

namespace turbine {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;

/// A coroutine that ends with a Result<T>. Lazy: runs when awaited or spawned. Parameters by value,
/// or references to what outlives the call; a capturing lambda must not be a coroutine.
template <class T = void>
using Task = asio::awaitable<Result<T>, Executor>;

/// Counts the coroutines an object has started, so that stop() can wait for them and the
/// destructor can prove that none is left. One thread.
class Gate {
 public:
  explicit Gate(Executor executor) : executor_(executor) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() { CHECK(count_ == 0); }

  /// Starts `task`. Its failure is logged under `name` unless it is Errc::closed. After close() the
  /// task is dropped unstarted.
  void spawn(std::string_view name, Task<> task);
  /// No further spawn; returns when the last coroutine has ended.
  Task<> close();
  bool closing() const { return closing_; }
  size_t count() const { return count_; }
  Executor executor() const { return executor_; }

 private:
  void leave();
  Executor executor_;
  size_t count_ = 0;
  bool closing_ = false;
  std::vector<std::move_only_function<void()>> waiters_;
};

}  // namespace turbine
