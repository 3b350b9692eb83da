// A lean HTTP/1.1 client connection: one request at a time, kept alive, opened again when closed.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <string>

#include "base/buffer.hpp"
#include "base/task.hpp"

namespace turbine::bench {

struct HttpAnswer {
  int status = 0;
  uint64_t body_bytes = 0;
  std::string body;  // only when no sink was given
};

/// One thread. Bodies go through a scratch buffer that all connections of a thread share.
class HttpClient {
 public:
  using Sink = std::function<void(ByteView piece)>;

  HttpClient(Executor executor, asio::ip::tcp::endpoint server, MutableByteView scratch);

  /// Sends head and body and reads the answer. `head_only`: the answer to a HEAD. Errc::closed
  /// when the connection broke; the next call opens a new one.
  Task<HttpAnswer> call(std::string head, std::vector<ByteView> body, bool head_only, Sink sink);

 private:
  Task<> connect();
  Task<> send(std::vector<asio::const_buffer> data);
  Task<size_t> receive();
  Task<> receive_into(std::string& text);
  Task<HttpAnswer> read_answer(bool head_only, const Sink& sink);
  Task<> read_chunked(std::string input, HttpAnswer& answer, const Sink& sink);
  Task<HttpAnswer> exchange(std::string head, std::vector<ByteView> body, bool head_only,
                            Sink sink);

  using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
  Socket socket_;
  asio::ip::tcp::endpoint server_;
  MutableByteView scratch_;
  bool connected_ = false;
};

}  // namespace turbine::bench
