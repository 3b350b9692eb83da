// HttpServer: HTTP/1.1 for the admin API, metrics and health of a process.
#pragma once

#include <memory>
#include <string>

#include "admin/http.hpp"
#include "base/clock.hpp"
#include "base/task.hpp"

namespace turbine::admin {

struct HttpServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;               // 0: any free one
  bool any_port_if_taken = false;  // falls back to a free port when `port` is in use
  size_t body_bytes_max = size_t{1} << 20;
  size_t head_bytes_max = size_t{16} << 10;
  size_t connections_max = 128;
  Duration idle_timeout = std::chrono::seconds(60);
};

/// One reactor thread. Requests of one connection are served in order; a head or body that takes
/// longer than the idle timeout ends the connection. Times out by wall time, not by Clock: it is
/// never part of a simulation.
class HttpServer {
 public:
  virtual ~HttpServer() = default;
  /// Binds and accepts. Errc::exists when the port is taken.
  static Result<std::unique_ptr<HttpServer>> start(Executor executor, HttpServerOptions options,
                                                   HttpHandler handler);
  virtual uint16_t port() const = 0;
  /// "host:port", as a client would write it.
  virtual std::string address() const = 0;
  /// Closes the listener and every connection, waits for running handlers.
  virtual Task<> stop() = 0;
};

}  // namespace turbine::admin
