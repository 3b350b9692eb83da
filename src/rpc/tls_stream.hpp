// TlsStream: TLS over one connected socket. Its source is the only one here that includes Asio's
// SSL, which takes long to compile.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.hpp"
#include "base/task.hpp"
#include "rpc/handshake.hpp"
#include "rpc/socket_address.hpp"
#include "rpc/tls_context.hpp"

namespace turbine::rpc {

/// One read and one write may be under way at once. Closing the socket ends both; the stream and
/// the socket must live until then. No close_notify is sent: frames say themselves how long they
/// are. One reactor thread; memory of some 100 KiB.
class TlsStream {
 public:
  using ErrorCode = boost::system::error_code;
  using Done = std::move_only_function<void(const ErrorCode&, size_t)>;

  /// What one TLS record carries (RFC 8446, section 5.1) and one write_some() takes at most.
  static constexpr size_t kRecordBytes = size_t{16} << 10;

  /// `host`: see TlsContext::new_session().
  static std::unique_ptr<TlsStream> make(Socket& socket, const TlsContext& context, Side side,
                                         const std::string& host);
  virtual ~TlsStream() = default;

  /// Both certificates are checked; a server knows that only its own side is content, a caller may
  /// still be refused when it reads. Errc::denied says who refused what, and what to do.
  virtual Task<> handshake() = 0;
  /// Same on both sides of one session and of no other (RFC 9266); after handshake().
  virtual std::string channel_binding() const = 0;

  /// asio::error::eof when the peer has closed the connection.
  virtual asio::awaitable<std::tuple<ErrorCode, size_t>, Executor> read_some(
      std::array<asio::mutable_buffer, 3> buffers) = 0;
  virtual asio::awaitable<ErrorCode, Executor> write_all(asio::const_buffer bytes) = 0;
  /// Sends the first bytes of `gather` as one record: up to kRecordBytes, which stay in place until
  /// `done` is told how many.
  virtual void write_some(const std::vector<asio::const_buffer>& gather, Done done) = 0;
  /// An error of a read or write, for people.
  virtual std::string text(const ErrorCode& error) const = 0;
};

}  // namespace turbine::rpc
