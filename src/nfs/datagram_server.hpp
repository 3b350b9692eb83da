// RPC over UDP, for the little that clients ask that way: status monitors tell by datagrams that a
// client began anew, and ask the port mapper so before.
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "nfs/procedure.hpp"

namespace turbine::nfs {

/// Serves programs whose calls and replies fit into one datagram each. What comes while too many
/// calls are under way is lost, as with UDP it may be. One reactor thread; start() once, stop() and
/// wait for it before the destruction; the environment must outlive it.
class DatagramServer {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    uint16_t port = 0;  // 0: any free one
    bool share_port = false;
    size_t calls_max = 64;
  };
  static constexpr size_t kDatagramBytesMax = 4096;

  DatagramServer(Environment& env, Options options, std::vector<const Program*> programs);
  DatagramServer(const DatagramServer&) = delete;
  DatagramServer& operator=(const DatagramServer&) = delete;
  ~DatagramServer();

  /// Errc::exists: the port is taken. Errc::invalid: not an address.
  Result<> start();
  uint16_t port() const { return port_; }
  /// No new calls; returns when those in flight have ended.
  Task<> stop();

 private:
  using UdpSocket = asio::basic_datagram_socket<asio::ip::udp, Executor>;
  class Call;

  Task<> receive_loop();
  void start_call(asio::ip::udp::endpoint from, Buffer datagram);
  Task<> serve(std::shared_ptr<Call> call, const Procedure* procedure, RpcCall what);

  Environment& env_;
  const Options options_;
  const std::vector<const Program*> programs_;
  UdpSocket socket_;
  uint16_t port_ = 0;
  Gate gate_;
};

}  // namespace turbine::nfs
