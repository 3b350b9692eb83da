// Registration with the rpcbind of this host, which answers on port 111 (RFC 1833 section 2).
#pragma once

#include <string>
#include <vector>

#include "base/async.hpp"
#include "nfs/procedure.hpp"

namespace turbine::nfs {

/// Where rpcbind takes registrations; from root only, and not over TCP.
inline constexpr const char* kRpcbindSocket = "/run/rpcbind.sock";

/// Registers each mapping at `address` (an IP address), in place of what was there. Errors
/// say what to do: unavailable (no rpcbind), denied (this process is not root's), timeout.
Task<> register_with_rpcbind(Clock& clock, std::string socket_path, std::string address,
                             std::vector<PortMapping> mappings);
/// Takes the registrations back.
Task<> unregister_from_rpcbind(Clock& clock, std::string socket_path, std::string address,
                               std::vector<PortMapping> mappings);

}  // namespace turbine::nfs
