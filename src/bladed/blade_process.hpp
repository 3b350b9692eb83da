// The blade process: configuration, disk, sockets, signals around a Blade.
#pragma once

#include <string>

namespace turbine::bladed {

/// Runs until SIGTERM or SIGINT, or until the device fails. Returns the exit code: 0 after a clean
/// stop, 1 after a failure, 2 for a bad configuration.
int run_blade_process(const std::string& config_path);

}  // namespace turbine::bladed
