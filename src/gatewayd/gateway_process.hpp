// The gateway process: configuration, sockets, signals around fs and the S3 server.
#pragma once

#include <string>

namespace turbine::gatewayd {

/// Runs until SIGTERM or SIGINT. Returns the exit code: 0 after a clean
/// stop, 1 after a failure, 2 for a bad configuration.
int run_gateway_process(const std::string& config_path);

}  // namespace turbine::gatewayd
