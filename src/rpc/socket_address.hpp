// Addresses of sockets, and the two system calls that make one: connect and listen.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include "base/result.hpp"
#include "base/task.hpp"
#include "rpc/rpc.hpp"

namespace turbine::rpc {

using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;
using Endpoint = asio::generic::stream_protocol::endpoint;

struct SocketAddress {
  bool tcp = false;
  Endpoint endpoint;
  std::string host;  // of TCP, as it stands in the address, without brackets
};

/// "unix:/path" (at most 107 bytes of path) or "tcp:host:port" with a numeric host, "[v6]" or
/// "localhost". Errc::invalid.
Result<SocketAddress> parse_address(const Address& address);

/// A bound, listening, non-blocking descriptor. A Unix socket file that nobody answers on is
/// removed first. Errc::exists names an address in use.
Result<int> open_listening(const Address& address);
/// "host:port" of the other end of a TCP connection, for people.
std::string peer_name(int descriptor);
/// The address of a listening descriptor with the port that was chosen.
Address bound_address(const Address& asked, int descriptor);
/// TCP_NODELAY, keep-alive and a bound on unacknowledged data.
void tune_tcp(int descriptor);

}  // namespace turbine::rpc
