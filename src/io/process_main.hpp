// ProcessMain: the life of a process on its reactor: start, wait for a signal or a failure, stop.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "base/async.hpp"
#include "io/reactor.hpp"

namespace turbine::io {

/// One per process. SIGTERM and SIGINT end it cleanly; while start() still runs, and when stop()
/// takes longer than `stop_time_max`, it ends at once, which every part of it must survive anyway.
class ProcessMain {
 public:
  /// Raises the limit of open files to what the system allows.
  explicit ProcessMain(Reactor& reactor, Duration stop_time_max = std::chrono::seconds(10));

  /// Runs start(), then until a signal or fail(), then stop(), also when start() failed. Returns
  /// the exit code: 0 or, after a failure, 1. Failures are logged here.
  int run(std::function<Task<>()> start, std::function<Task<>()> stop);
  /// Ends the process with code 1, by way of stop(). From the reactor.
  void fail(Error error);

 private:
  Task<> live(std::function<Task<>()> start, std::function<Task<>()> stop);

  Reactor& reactor_;
  const Duration stop_time_max_;
  OneShot<> end_;
  bool started_ = false;
};

}  // namespace turbine::io
