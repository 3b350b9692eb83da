#include "rpc/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

#include "base/async.hpp"

namespace turbine::rpc {
namespace {

namespace ssl = asio::ssl;

// RFC 9266: label, no context, length of "tls-exporter".
constexpr std::string_view kBindingLabel = "EXPORTER-Channel-Binding";
constexpr size_t kBindingBytes = 32;

class AsioTlsStream final : public TlsStream {
 public:
  AsioTlsStream(Socket& socket, const TlsContext& context, Side side, const std::string& host)
      : side_(side),
        records_per_key_(context.records_per_key()),
        stream_(socket, context.new_session(host)) {}

  Task<> handshake() override {
    const auto role = side_ == Side::caller ? ssl::stream_base::client : ssl::stream_base::server;
    auto [error] = co_await stream_.async_handshake(role, kAwait);
    if (!error) co_return Result<>{};
    // A plain listener hangs up on TLS without a word.
    const bool word = error.category() == asio::error::get_ssl_category();
    co_return fail(
        Errc::denied, "{}{}", text(error),
        side_ == Side::caller && !word ? "; has it a section [tls], as this one has?" : "");
  }

  std::string channel_binding() const override {
    std::string out(kBindingBytes, '\0');
    CHECK(SSL_export_keying_material(session(), reinterpret_cast<unsigned char*>(out.data()),
                                     out.size(), kBindingLabel.data(), kBindingLabel.size(),
                                     nullptr, 0, 1) == 1);
    return out;
  }

  asio::awaitable<std::tuple<ErrorCode, size_t>, Executor> read_some(
      std::array<asio::mutable_buffer, 3> buffers) override {
    auto [error, count] = co_await stream_.async_read_some(buffers, kAwait);
    if (error == ssl::error::stream_truncated) error = asio::error::eof;
    co_return std::tuple(error, count);
  }

  asio::awaitable<ErrorCode, Executor> write_all(asio::const_buffer bytes) override {
    auto [error, count] = co_await asio::async_write(stream_, bytes, kAwait);
    co_return error;
  }

  void write_some(const std::vector<asio::const_buffer>& gather, Done done) override {
    // Announced in front of the record, which then has the next key.
    if (++records_ % records_per_key_ == 0) SSL_key_update(session(), SSL_KEY_UPDATE_NOT_REQUESTED);
    stream_.async_write_some(one_record(gather), std::move(done));
  }

  std::string text(const ErrorCode& error) const override {
    const bool caller = side_ == Side::caller;
    if (error.category() != asio::error::get_ssl_category()) {
      const bool ended = error == ssl::error::stream_truncated || error == asio::error::eof;
      return fmt::format("{}; the log of the process there says why",
                         ended ? "it closed the connection" : error.message());
    }
    const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
      return fmt::format(
          "its certificate is refused: {}; it must be of today, signed by the authority in "
          "tls.ca_file{}",
          X509_verify_cert_error_string(SSL_get_verify_result(session())),
          caller ? ", and name the address in its subjectAltName" : "");
    }
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
      return "it showed no certificate; give the process there a section [tls]";
    }
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
      return "it does not speak TLS; give the process there a section [tls], or take it from this "
             "one";
    }
    if (reason > SSL_AD_REASON_OFFSET) {
      return fmt::format(
          "it refused this process's certificate or TLS: {}; its log says why, tls.cert_file must "
          "be signed by the authority in the peer's tls.ca_file",
          error.message());
    }
    return fmt::format("{}; both sides must speak TLS 1.3", error.message());
  }

 private:
  // Asio declares it without const, and changes nothing.
  SSL* session() const { return const_cast<AsioTlsStream*>(this)->stream_.native_handle(); }

  /// Small pieces become one record, or each would be a record and a system call of its own.
  asio::const_buffer one_record(const std::vector<asio::const_buffer>& gather) {
    if (gather.size() == 1 || gather.front().size() >= kRecordBytes) return gather.front();
    record_.resize(kRecordBytes);
    return asio::buffer(record_, asio::buffer_copy(asio::buffer(record_), gather));
  }

  const Side side_;
  const uint64_t records_per_key_;
  uint64_t records_ = 0;  // sent
  ssl::stream<Socket&> stream_;
  std::vector<std::byte> record_;
};

}  // namespace

std::unique_ptr<TlsStream> TlsStream::make(Socket& socket, const TlsContext& context, Side side,
                                           const std::string& host) {
  return std::make_unique<AsioTlsStream>(socket, context, side, host);
}

}  // namespace turbine::rpc
