// One client connection: HTTP/1.1 with keep-alive and pipelining, one request at a time.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "s3/http_exchange.hpp"

namespace turbine::s3 {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

struct HttpLimits {
  HeadLimits head;
  Duration head_time = std::chrono::seconds(10);   // from a head's first byte to its end
  Duration idle_time = std::chrono::seconds(60);   // between requests, and without any progress
  Duration body_grace = std::chrono::seconds(10);  // waiting for a body beyond its minimum rate
  uint64_t body_bytes_per_second_min = 1024;
  size_t body_buffer_bytes = size_t{1024} * 1024;  // a large body arrives in buffers of this size
  Duration linger_time = std::chrono::seconds(2);  // reading on behind an answer that ends it
  size_t connections_max = 4096;
};

/// Answers one request through the writer. A failure after start() cuts the connection.
using HttpHandler = std::function<Task<>(const RequestHead&, BodyReader&, ResponseWriter&)>;
/// The answer to a head that can't be parsed: its body for the error (too_large, invalid, timeout).
using BadHeadAnswer = std::function<std::pair<ResponseHead, std::string>(const Error&)>;

/// A connection from accept to close. One coroutine, one input buffer of 16 KiB, at most one body
/// buffer, and what the handler holds.
class HttpConnection {
 public:
  HttpConnection(Socket socket, Clock& clock, const HttpLimits& limits, const HttpHandler& handler,
                 const BadHeadAnswer& bad_head);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Serves until either side closes. Never fails: a broken connection is not the server's error.
  Task<> run();
  /// Ends it at once when it waits for a request, otherwise behind the answer in progress.
  void finish();
  /// Cuts it.
  void abort();
  /// Between requests.
  bool idle() const;

 private:
  class Core;
  class Body;
  class Writer;
  std::unique_ptr<Core> core_;
};

}  // namespace turbine::s3
