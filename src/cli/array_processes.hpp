// The processes of an array on this machine: their configuration files, start and readiness.
#pragma once

#include "cli/array_dir.hpp"
#include "cli/daemon.hpp"

namespace turbine::cli {

inline constexpr int kLockWaitMs = 60'000;   // for the directory
inline constexpr int kReadyWaitMs = 60'000;  // replaying full journals takes a while
inline constexpr int kStopWaitMs = 30'000;   // of a process that was asked to

Daemon daemon_of(const ArrayDir& dir, const std::string& process);

/// Writes DIR/etc/NAME.toml of every process, mode 0600.
Result<> write_configs(const ArrayDir& dir, const ArraySettings& settings);

/// Starts the process named `process` ("blade-3") from its configuration file.
Result<> start_process(const ArrayDir& dir, const std::string& process);

/// Waits until the health page of each process says ready. Errc::unavailable, with the tail of the
/// log, when one has ended; Errc::timeout with its last answer.
Result<> wait_ready(const ArrayDir& dir, const std::vector<std::string>& processes, int wait_ms);

}  // namespace turbine::cli
