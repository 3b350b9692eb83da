// The manager process: cluster store, manager logic, admin API.
#pragma once

#include <string>

namespace turbine::managerd {

/// Runs until SIGTERM or SIGINT. Returns the exit code: 0 after a clean stop, 1 after a failure, 2
/// for a bad configuration.
int run_manager_process(const std::string& config_path);

}  // namespace turbine::managerd
