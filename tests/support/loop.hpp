// A reactor with the system clock, for tests that run coroutines to their end.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/task.hpp"

namespace turbine::test {

struct Loop {
  asio::io_context io{1};
  std::unique_ptr<Clock> clock = make_system_clock(io.get_executor());

  Executor executor() { return io.get_executor(); }

  /// Runs the reactor until `task` has ended.
  template <class T>
  Result<T> run(Task<T> task) {
    std::optional<Result<T>> out;
    asio::co_spawn(io, std::move(task), [&out](std::exception_ptr error, Result<T> result) {
      if (error) std::rethrow_exception(error);
      out.emplace(std::move(result));
    });
    while (!out.has_value()) {
      if (io.run_one() == 0) io.restart();
    }
    return std::move(*out);
  }
};

}  // namespace turbine::test
