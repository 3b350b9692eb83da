#include "io/process_main.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/log.hpp"

namespace turbine::io {

namespace {

/// Connections and tables need more descriptors than the 1024 of a usual login; RocksDB takes their
/// lack for a failure of the disk.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log::warn("the limit of open files can't be raised: {}", std::strerror(errno));
  }
}

}  // namespace

ProcessMain::ProcessMain(Reactor& reactor, Duration stop_time_max)
    : reactor_(reactor), stop_time_max_(stop_time_max), end_(reactor.executor()) {
  raise_descriptor_limit();
}

void ProcessMain::fail(Error error) {
  end_.set(std::unexpected(std::move(error)));
}

int ProcessMain::run(std::function<Task<>()> start, std::function<Task<>()> stop) {
  reactor_.on_signal({SIGTERM, SIGINT}, [this](int signal) {
    log::info("stopping: signal {}", signal);
    if (!started_) std::_Exit(0);
    end_.set({});
  });
  const Result<> lived = reactor_.run(live(std::move(start), std::move(stop)));
  if (!lived.ok()) log::error("{}", lived.error().text());
  return lived.ok() ? 0 : 1;
}

Task<> ProcessMain::live(std::function<Task<>()> start, std::function<Task<>()> stop) {
  Result<> outcome = co_await start();
  started_ = true;
  if (outcome.ok()) outcome = co_await end_.wait();
  reactor_.clock().call_at(reactor_.clock().now() + stop_time_max_, [outcome] {
    if (!outcome.ok()) log::error("{}", outcome.error().text());
    log::error("stopping takes too long: ending as by a crash");
    std::_Exit(1);
  });
  const Result<> stopped = co_await stop();
  if (outcome.ok()) outcome = stopped;
  co_return outcome;
}

}  // namespace turbine::io
