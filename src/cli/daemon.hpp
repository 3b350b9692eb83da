// Daemons: processes of an array, started apart from the terminal and found again by pid file.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace turbine::cli {

/// The pid file is locked (flock) as long as the process lives: it inherits the descriptor. So a
/// pid that was given to somebody else is never mistaken for ours, and SIGKILL needs no cleaning.
struct Daemon {
  std::string name;
  std::string pid_path;
  std::string log_path;

  /// Runs this program with `arguments` in a session of its own, output appended to the log.
  /// Errc::conflict when it is running already.
  Result<pid_t> start(const std::vector<std::string>& arguments) const;
  std::optional<pid_t> running() const;
  /// SIGTERM, then waits. False when it was not running. Errc::timeout when it has not ended after
  /// `wait_ms`.
  Result<bool> stop(int wait_ms) const;
  /// SIGTERM only, to stop several at once.
  void ask_to_stop() const;
  Result<> wait_stopped(int wait_ms) const;
  /// The last `count` lines of the log.
  std::string log_tail(size_t count) const;
};

/// Errc::exists with the port named when something listens there, or it can't be bound.
Result<> check_port_free(const std::string& host, uint16_t port);
/// A port that nobody listens on at the moment.
Result<uint16_t> find_free_port(const std::string& host);

}  // namespace turbine::cli
