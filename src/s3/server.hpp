// The listener of the S3 front-end.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "s3/http_connection.hpp"

namespace turbine::s3 {

/// Accepts connections and gives their requests to a handler. One reactor thread. start() once,
/// stop() and wait for it before the destruction; clock, handler's subjects must outlive it.
class HttpServer {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    uint16_t port = 0;        // 0: any free one
    bool share_port = false;  // SO_REUSEPORT: several gateways of one host
    HttpLimits limits;
  };

  HttpServer(Clock& clock, Options options, HttpHandler handler, BadHeadAnswer bad_head);
  ~HttpServer();

  /// Errc::exists: the port is taken (the context names it).
  Result<> start();
  uint16_t port() const { return port_; }
  /// No new connections; idle ones end at once, the others behind their answer, at the latest
  /// after `grace`.
  Task<> stop(Duration grace = std::chrono::seconds(5));
  size_t connection_count() const { return connections_.size(); }

 private:
  using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
  using Connections = std::list<std::unique_ptr<HttpConnection>>;
  Task<> accept_loop();
  Task<> serve(Connections::iterator connection);
  Task<> turn_away(Socket socket);

  Clock& clock_;
  Options options_;
  HttpHandler handler_;
  BadHeadAnswer bad_head_;
  Acceptor acceptor_;
  uint16_t port_ = 0;
  Connections connections_;
  Gate gate_;
};

}  // namespace turbine::s3
