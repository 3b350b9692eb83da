// DatagramServer: ONC RPC over UDP, for the port mapper alone: tools ask it that way first.
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "nfs/procedure.hpp"

namespace turbine::nfs {

/// Answers one datagram after another, so its programs' procedures must not wait for anything. One
/// reactor thread. start() once, stop() and wait for it before the destruction; the environment
/// must outlive it.
class DatagramServer final : private ReplySink {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    uint16_t port = 0;        // 0: any free one
    bool share_port = false;  // SO_REUSEPORT: several gateways of one host
  };

  DatagramServer(Environment& env, Options options, std::vector<const Program*> programs);

  /// Errc::exists: the port is taken (the context names it). Errc::invalid: not an address.
  Result<> start();
  uint16_t port() const { return port_; }
  Task<> stop();

 private:
  using DatagramSocket = asio::basic_datagram_socket<asio::ip::udp, Executor>;
  Task<> serve();
  Task<> answer(Buffer message, asio::ip::udp::endpoint from);
  /// The reply that is in out_, without its record mark.
  std::string take_reply();

  Task<> reserve(RpcCall& call, size_t bytes) override;
  GatherList& replies() override { return out_; }
  void replied(const RpcCall& call) override;

  Environment& env_;
  const Options options_;
  const std::vector<const Program*> programs_;
  DatagramSocket socket_;
  uint16_t port_ = 0;
  GatherList out_;  // of one call
  Gate gate_;
};

}  // namespace turbine::nfs
