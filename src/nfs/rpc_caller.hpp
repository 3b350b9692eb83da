// Calls to the RPC servers of clients: a lock that was granted is told that way.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>

#include "base/clock.hpp"
#include "nfs/rpc.hpp"

namespace turbine::nfs {

/// The bytes of a message.
template <class T>
std::string xdr_text(const T& value) {
  GatherList list;
  XdrWriter writer(list);
  writer(value);
  return list.take_text();
}

/// A host as one of its connections showed it.
struct RpcPeer {
  boost::asio::ip::address address;
  boost::asio::ip::address local;  // ours, from which it expects to be called; may be unspecified
};

/// Times and ports of calls to clients.
struct RpcCallerOptions {
  uint16_t portmap_port = 111;
  Duration time_max = std::chrono::seconds(5);  // of one call
};

/// Calls a procedure of a host's RPC server over a TCP connection of its own, at the port that the
/// host's port mapper names; returns the results' bytes. As user 0. `arguments`: in XDR.
/// Errc::unavailable: nobody is there, or serves that; Errc::timeout; Errc::corrupt: no RPC.
Task<Buffer> call_host(Clock& clock, RpcPeer host, uint32_t program, uint32_t version,
                       uint32_t procedure, std::string arguments, RpcCallerOptions options);

}  // namespace turbine::nfs
