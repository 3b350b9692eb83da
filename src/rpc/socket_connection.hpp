// One connected stream socket: frames in both directions, many calls at once.
#pragma once

#include <boost/asio/buffer.hpp>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/async.hpp"
#include "rpc/frame.hpp"
#include "rpc/handshake.hpp"
#include "rpc/rpc.hpp"
#include "rpc/socket_address.hpp"
#include "rpc/tls_stream.hpp"

namespace turbine::rpc {

struct ConnectionLimits {
  size_t frame_bytes_max = 0;
  size_t calls_in_flight_max = 1024;
  // Bytes of requests being handled and of frames waiting to be sent; reading and calling pause
  // above it.
  size_t bytes_in_flight_max = size_t{64} << 20;
};

/// Either side of a connection; a server's has a handler, a caller's has none. Life: construct,
/// use_tls() or not, prove_*(), run() until it returns, during which call() may be used. Held by
/// shared_ptr because socket operations keep it alive. One reactor thread.
class SocketConnection : public std::enable_shared_from_this<SocketConnection> {
 public:
  /// Handlers are started through `gate`, which must outlive the connection.
  SocketConnection(Socket socket, Address peer, bool tcp, Clock& clock, Gate& gate,
                   ConnectionLimits limits, Handler handler);

  /// All that follows goes inside TLS. A caller names the `host` it expects in the peer's
  /// certificate; a server passes "".
  void use_tls(const TlsContext& context, Side side, const std::string& host);
  /// The mutual proof, after the TLS handshake where there is one; Errc::denied when the peer does
  /// not hold `secret` or a certificate.
  Task<> prove_as_caller(std::string secret, TimePoint deadline);
  Task<> prove_as_server(std::string secret, TimePoint deadline);

  /// Reads frames until the connection ends, for whatever reason; then every pending call has
  /// ended: Errc::timeout if its frame may have left, Errc::unavailable if not.
  Task<> run();
  /// Waits for room, sends, and returns the reply.
  Task<Reply> call(Request request, TimePoint deadline);
  void close(std::string_view reason);
  bool closed() const { return closed_; }

 private:
  struct Outgoing {
    EncodedHeader header;
    std::string body;
    Buffer payload;
    uint64_t call = 0;  // of a request; 0 for a reply
    size_t bytes() const { return header.size() + body.size() + payload.size(); }
  };
  struct Pending {
    OneShot<Reply> reply;
    bool sent = false;  // the kernel may have been given a part of it
  };

  Task<> exchange(bool caller, std::string secret);
  asio::awaitable<boost::system::error_code, Executor> send_all(asio::const_buffer bytes);
  asio::awaitable<boost::system::error_code, Executor> receive_all(asio::mutable_buffer bytes);
  Task<> prove(bool caller, std::string secret, TimePoint deadline);
  Task<> wait_for_room(TimePoint deadline);
  Result<> take_frames();
  void take_reply(Frame frame);
  void take_request(Frame frame);
  static Task<> serve(std::shared_ptr<SocketConnection> self, Frame frame);
  void enqueue(FrameHeader header, std::string body, Buffer payload);
  void write_more();
  void drop_abandoned();
  void written(size_t count);
  bool crowded() const;
  Error end_of_call(bool sent) const;

  Socket socket_;
  std::unique_ptr<TlsStream> tls_;  // over socket_; null: plain
  const Address peer_;
  const bool tcp_;
  Clock& clock_;
  Gate& gate_;
  const ConnectionLimits limits_;
  const Handler handler_;
  bool closed_ = false;
  std::string close_reason_;

  FrameReader reader_;
  const std::shared_ptr<PeerLink> link_;
  size_t serving_ = 0, serving_bytes_ = 0;

  std::deque<Outgoing> queue_;
  size_t queued_bytes_ = 0;
  size_t front_written_ = 0;  // bytes of queue_.front() that are already out
  bool writing_ = false;
  bool gathering_ = false;  // the write is posted, and has not begun
  std::vector<asio::const_buffer> gather_;

  std::unordered_map<uint64_t, Pending> pending_;
  uint64_t next_call_ = 1;
  Event room_;
};

}  // namespace turbine::rpc
