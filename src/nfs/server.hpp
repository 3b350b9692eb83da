// The listener of the NFS front-end: ONC RPC programs on one TCP port.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "nfs/connection.hpp"

namespace turbine::nfs {

/// Accepts connections and serves the programs it was given. One reactor thread. start() once,
/// stop() and wait for it before the destruction; the environment must outlive it.
class RpcServer {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    uint16_t port = 0;        // 0: any free one
    bool share_port = false;  // SO_REUSEPORT: several gateways of one host
    RpcLimits limits{};
  };

  RpcServer(Environment& env, Options options, std::vector<const Program*> programs);
  ~RpcServer();

  /// Errc::exists: the port is taken (the context names it). Errc::invalid: not an address.
  Result<> start();
  uint16_t port() const { return port_; }
  /// No new connections and calls; calls in flight are answered, at the latest after `grace`.
  Task<> stop(Duration grace = std::chrono::seconds(5));
  size_t connection_count() const { return connections_.size(); }
  /// Bytes of large arguments and replies in flight.
  size_t bytes_in_flight() const { return options_.limits.server_bytes_max - memory_.available(); }

 private:
  using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
  using Connections = std::list<std::unique_ptr<Connection>>;
  Task<> accept_loop();
  Task<> serve(Connections::iterator connection);
  void check_connections();
  /// Also those that nobody has accepted yet.
  void cut_connections();

  Environment& env_;
  const Options options_;
  const std::vector<const Program*> programs_;
  Acceptor acceptor_;
  uint16_t port_ = 0;
  Gate gate_;
  Semaphore memory_;
  RpcServerState state_;
  Connections connections_;
  TimerId check_timer_;
  bool at_most_logged_ = false;
};

}  // namespace turbine::nfs
