// HttpConnection: one HTTP/1.1 connection to an etcd endpoint, plain or TLS.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "etcd/options.hpp"

namespace boost::asio::ssl {
class context;
}

namespace turbine::etcd {

using TlsContextPtr = std::shared_ptr<boost::asio::ssl::context>;

/// Reads the certificates that `options` name; null when no endpoint uses TLS. Blocks: at start
/// only. Errc::invalid names the file that can't be used.
Result<TlsContextPtr> load_tls(const EtcdOptions& options);

struct HttpReply {
  int status = 0;
  std::string body;
};

struct HttpPost {
  std::string target;
  std::string token;  // of etcd's authentication; empty: none
  std::string body;   // JSON
};

/// One reactor thread; one request at a time. The object outlives its calls. Each call has a
/// deadline and after a failure the connection is closed. Errc::unavailable: the request did not
/// reach the server as a whole, so it was certainly not executed. Errc::timeout: it was sent, and
/// what became of it is not known.
class HttpConnection {
 public:
  static std::unique_ptr<HttpConnection> make(Clock& clock, Endpoint endpoint, TlsContextPtr tls);
  virtual ~HttpConnection() = default;

  virtual Task<> connect(TimePoint deadline) = 0;
  virtual Task<HttpReply> post(HttpPost request, TimePoint deadline) = 0;
  /// As post(), but a reply of status 200 is left open: its body comes by next_line(). Others are
  /// read to their end.
  virtual Task<HttpReply> open_stream(HttpPost request, TimePoint deadline) = 0;
  /// The next line, without its end. Errc::timeout; Errc::unavailable when the stream has ended.
  virtual Task<std::string> next_line(TimePoint deadline) = 0;
  /// May another request be sent? False once the server has closed its side.
  virtual bool usable() = 0;
  /// Running calls end with an error.
  virtual void close() = 0;
  virtual const Endpoint& endpoint() const = 0;
};

}  // namespace turbine::etcd
