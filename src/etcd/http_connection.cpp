#include "etcd/http_connection.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <type_traits>

#include "base/async.hpp"

namespace turbine::etcd {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using PlainStream = beast::basic_stream<tcp, Executor>;
using TlsStream = beast::ssl_stream<PlainStream>;
using Resolver = asio::ip::basic_resolver<tcp, Executor>;
using Addresses = Resolver::results_type;

constexpr auto kUse = asio::as_tuple(UseAwaitable{});
constexpr size_t kBodyBytesMax = size_t{64} << 20;

template <class Stream>
class Connection final : public HttpConnection {
 public:
  static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;

  template <class... Args>
  Connection(Clock& clock, Endpoint endpoint, Args&&... args)
      : clock_(clock), endpoint_(std::move(endpoint)), stream_(std::forward<Args>(args)...) {}

  const Endpoint& endpoint() const override { return endpoint_; }
  void close() override { socket().close(); }

  bool usable() override {
    if (!open_ || !socket().socket().is_open()) return false;
    char byte = 0;
    const ssize_t count =
        ::recv(socket().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    // Of TLS, session tickets may wait there; of plain HTTP nothing does.
    if (count > 0) return kIsTls;
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  Task<> connect(TimePoint deadline) override {
    const Addresses addresses = CO_TRY(co_await resolve(deadline));
    expire_at(deadline);
    auto [error, reached] = co_await socket().async_connect(addresses, kUse);
    if (error) co_return failure(Errc::unavailable, "connecting to", error);
    boost::system::error_code ignored;
    socket().socket().set_option(tcp::no_delay(true), ignored);
    if constexpr (kIsTls) {
      boost::system::error_code no_number;
      asio::ip::make_address(endpoint_.host, no_number);
      if (no_number) SSL_set_tlsext_host_name(stream_.native_handle(), endpoint_.host.c_str());
      stream_.set_verify_mode(ssl::verify_peer);
      stream_.set_verify_callback(ssl::host_name_verification(endpoint_.host));
      expire_at(deadline);
      auto [shaken] = co_await stream_.async_handshake(ssl::stream_base::client, kUse);
      if (shaken) co_return failure(Errc::unavailable, "the TLS handshake with", shaken);
    }
    open_ = true;
    co_return Result<>{};
  }

  Task<HttpReply> post(HttpPost request, TimePoint deadline) override {
    CO_TRY(co_await send(std::move(request), deadline));
    http::response_parser<http::string_body> parser;
    parser.body_limit(kBodyBytesMax);
    expire_at(deadline);
    auto [error, count] = co_await http::async_read(stream_, buffer_, parser, kUse);
    if (error) co_return failure(Errc::timeout, "reading the answer of", error);
    open_ = parser.keep_alive();
    co_return HttpReply{static_cast<int>(parser.get().result_int()),
                        std::move(parser.get().body())};
  }

  Task<HttpReply> open_stream(HttpPost request, TimePoint deadline) override {
    CO_TRY(co_await send(std::move(request), deadline));
    open_ = false;  // for anything else
    parser_.emplace();
    parser_->body_limit(boost::none);  // endless; a line is bounded below
    expire_at(deadline);
    auto [error, count] = co_await http::async_read_header(stream_, buffer_, *parser_, kUse);
    if (error) co_return failure(Errc::timeout, "reading the answer of", error);
    HttpReply reply{static_cast<int>(parser_->get().result_int()), ""};
    if (reply.status == 200) co_return reply;
    while (!parser_->is_done()) CO_TRY(co_await read_some(deadline));
    reply.body = std::move(parser_->get().body());
    co_return reply;
  }

  Task<std::string> next_line(TimePoint deadline) override {
    while (true) {
      std::string& body = parser_->get().body();
      if (const size_t end = body.find('\n'); end != std::string::npos) {
        std::string line = body.substr(0, end);
        body.erase(0, end + 1);
        co_return line;
      }
      if (parser_->is_done()) {
        co_return fail(Errc::unavailable, "{} ended its stream", endpoint_.text());
      }
      if (body.size() > kBodyBytesMax) {
        co_return fail(Errc::too_large, "{} sent a line of more than {} bytes", endpoint_.text(),
                       kBodyBytesMax);
      }
      CO_TRY(co_await read_some(deadline));
    }
  }

 private:
  PlainStream& socket() { return beast::get_lowest_layer(stream_); }
  void expire_at(TimePoint deadline) {
    socket().expires_after(std::max(deadline - clock_.now(), Duration(0)));
  }

  std::unexpected<Error> failure(Errc code, std::string_view doing, beast::error_code error) {
    open_ = false;
    socket().close();
    const bool late = error == beast::error::timeout;
    return fail(code, "{} {}: {}", doing, endpoint_.text(), late ? "time-out" : error.message());
  }

  Task<Addresses> resolve(TimePoint deadline) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(endpoint_.host, error);
    if (!error) {
      co_return Addresses::create(tcp::endpoint(address, endpoint_.port), endpoint_.host, "");
    }
    // A look-up runs on Asio's own thread and can't be stopped, only left to itself.
    OneShot<Addresses> found(clock_.executor());
    auto resolver = std::make_shared<Resolver>(clock_.executor());
    resolver->async_resolve(
        endpoint_.host, std::to_string(endpoint_.port),
        [resolver, found](beast::error_code failed, const Addresses& addresses) mutable {
          if (failed) {
            found.set(fail(Errc::unavailable, "{}", failed.message()));
          } else {
            found.set(addresses);
          }
        });
    auto result = co_await found.wait_until(clock_, deadline);
    if (!result.ok()) {
      co_return fail(Errc::unavailable, "looking up {}: {}", endpoint_.host,
                     result.error().context);
    }
    co_return result;
  }

  Task<> send(HttpPost request, TimePoint deadline) {
    http::request<http::string_body> message(http::verb::post, request.target, 11);
    message.set(http::field::host, fmt::format("{}:{}", endpoint_.host, endpoint_.port));
    message.set(http::field::content_type, "application/json");
    // A member that is cut off from the others says so at once, and ends its watches.
    message.set("Grpc-Metadata-hasleader", "true");
    if (!request.token.empty()) message.set(http::field::authorization, request.token);
    message.body() = std::move(request.body);
    message.prepare_payload();
    expire_at(deadline);
    auto [error, count] = co_await http::async_write(stream_, message, kUse);
    // Not all of it was accepted: the JSON that etcd sees has no end, and is not executed.
    if (error) co_return failure(Errc::unavailable, "sending to", error);
    co_return Result<>{};
  }

  Task<> read_some(TimePoint deadline) {
    expire_at(deadline);
    auto [error, count] = co_await http::async_read_some(stream_, buffer_, *parser_, kUse);
    if (error) {
      const Errc code = error == beast::error::timeout ? Errc::timeout : Errc::unavailable;
      co_return failure(code, "reading from", error);
    }
    co_return Result<>{};
  }

  Clock& clock_;
  const Endpoint endpoint_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::string_body>> parser_;  // of a stream
  bool open_ = false;
};

}  // namespace

Result<TlsContextPtr> load_tls(const EtcdOptions& options) {
  if (std::ranges::none_of(options.endpoints, &Endpoint::tls)) return TlsContextPtr();
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  boost::system::error_code error;
  context->set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, error);
  if (options.ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(options.ca_file, error);
  }
  if (error) {
    return fail(Errc::invalid, "the CA certificates {}: {}", options.ca_file, error.message());
  }
  if (options.cert_file.empty() != options.key_file.empty()) {
    return fail(Errc::invalid, "a client certificate needs both its files, certificate and key");
  }
  if (options.cert_file.empty()) return context;
  context->use_certificate_chain_file(options.cert_file, error);
  if (error) {
    return fail(Errc::invalid, "the certificate {}: {}", options.cert_file, error.message());
  }
  context->use_private_key_file(options.key_file, ssl::context::pem, error);
  if (error) return fail(Errc::invalid, "the key {}: {}", options.key_file, error.message());
  return context;
}

std::unique_ptr<HttpConnection> HttpConnection::make(Clock& clock, Endpoint endpoint,
                                                     TlsContextPtr tls) {
  if (!endpoint.tls) {
    return std::make_unique<Connection<PlainStream>>(clock, std::move(endpoint), clock.executor());
  }
  CHECK(tls != nullptr);
  return std::make_unique<Connection<TlsStream>>(clock, std::move(endpoint), clock.executor(),
                                                 *tls);
}

}  // namespace turbine::etcd
