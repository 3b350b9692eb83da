#include "admin/http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <set>

#include "admin/problem.hpp"
#include "base/async.hpp"
#include "base/log.hpp"

namespace turbine::admin {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Stream = beast::basic_stream<tcp, Executor>;

constexpr auto kUse = asio::as_tuple(UseAwaitable{});

class Server final : public HttpServer {
 public:
  Server(Executor executor, HttpServerOptions options, HttpHandler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        acceptor_(executor),
        gate_(executor) {}

  Result<> listen() {
    boost::system::error_code error;
    const auto host = asio::ip::make_address(options_.host, error);
    if (error) return fail(Errc::invalid, "{} is not an IP address", options_.host);
    tcp::endpoint endpoint(host, options_.port);
    if (acceptor_.open(endpoint.protocol(), error); error) {
      return fail(Errc::io, "socket: {}", error.message());
    }
    acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    acceptor_.bind(endpoint, error);
    if (error == asio::error::address_in_use && options_.any_port_if_taken) {
      endpoint.port(0);
      acceptor_.bind(endpoint, error);
    }
    if (error == asio::error::address_in_use) {
      return fail(Errc::exists, "port {} of {} is taken by another process", options_.port,
                  options_.host);
    }
    if (error) {
      return fail(Errc::io, "bind {}:{}: {}", options_.host, options_.port, error.message());
    }
    if (acceptor_.listen(asio::socket_base::max_listen_connections, error); error) {
      return fail(Errc::io, "listen on {}:{}: {}", options_.host, options_.port, error.message());
    }
    gate_.spawn("admin accept", accept());
    return {};
  }

  uint16_t port() const override {
    boost::system::error_code error;
    return acceptor_.local_endpoint(error).port();
  }
  std::string address() const override {
    const bool six = options_.host.find(':') != std::string::npos;
    return six ? fmt::format("[{}]:{}", options_.host, port())
               : fmt::format("{}:{}", options_.host, port());
  }

  Task<> stop() override {
    boost::system::error_code ignored;
    stopping_ = true;
    acceptor_.close(ignored);
    for (Stream* stream : streams_) stream->close();
    co_return co_await gate_.close();
  }

 private:
  Task<> accept() {
    while (!stopping_) {
      auto [error, socket] = co_await acceptor_.async_accept(kUse);
      if (stopping_) break;
      if (error) {
        // Out of descriptors, most likely: the connections that end free some.
        log::warn("admin listener: accept: {}", error.message());
        asio::basic_waitable_timer<std::chrono::steady_clock,
                                   asio::wait_traits<std::chrono::steady_clock>, Executor>
            pause(gate_.executor(), std::chrono::milliseconds(100));
        co_await pause.async_wait(kUse);
        continue;
      }
      if (streams_.size() >= options_.connections_max) continue;  // closes the socket
      gate_.spawn("admin connection", serve(std::move(socket)));
    }
    co_return Result<>{};
  }

  Task<> serve(asio::basic_stream_socket<tcp, Executor> socket) {
    Stream stream(std::move(socket));
    streams_.insert(&stream);
    beast::flat_buffer buffer;
    while (!stopping_) {
      const bool keep = co_await serve_one(stream, buffer);
      if (!keep) break;
    }
    streams_.erase(&stream);
    boost::system::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    co_return Result<>{};
  }

  /// Returns whether the connection may carry another request.
  asio::awaitable<bool, Executor> serve_one(Stream& stream, beast::flat_buffer& buffer) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(static_cast<uint32_t>(options_.head_bytes_max));
    parser.body_limit(options_.body_bytes_max);
    stream.expires_after(options_.idle_timeout);
    auto [read_error, read_bytes] = co_await http::async_read(stream, buffer, parser, kUse);
    const bool malformed =
        read_error &&
        read_error.category() == http::make_error_code(http::error::end_of_stream).category() &&
        read_error != http::error::end_of_stream && read_error != http::error::partial_message;
    if (read_error && !malformed) co_return false;
    http::request<http::string_body> message = parser.release();

    HttpResponse answer;
    if (malformed) {
      const Errc code = read_error == http::error::body_limit ? Errc::too_large : Errc::invalid;
      answer = problem({code, fmt::format("malformed request: {}", read_error.message())});
    } else {
      answer = co_await run(message);
    }
    http::response<http::string_body> response;
    response.version(message.version() == 10 ? 10 : 11);
    response.result(static_cast<unsigned>(answer.status));
    response.set(http::field::content_type, answer.content_type);
    response.set(http::field::cache_control, "no-store");
    if (answer.status == 401) response.set(http::field::www_authenticate, "Bearer");
    const bool keep = !malformed && !stopping_ && message.keep_alive();
    response.keep_alive(keep);
    response.body() = std::move(answer.body);
    response.prepare_payload();
    if (message.method() == http::verb::head) response.body().clear();
    stream.expires_after(options_.idle_timeout);
    auto [write_error, written] = co_await http::async_write(stream, response, kUse);
    co_return keep && !write_error;
  }

  asio::awaitable<HttpResponse, Executor> run(http::request<http::string_body>& message) {
    HttpRequest request;
    request.method = std::string(message.method_string());
    request.authorization = std::string(message[http::field::authorization]);
    request.body = std::move(message.body());
    const auto target = message.target();
    if (auto parsed = parse_target({target.data(), target.size()}, request); !parsed.ok()) {
      co_return problem(parsed.error());
    }
    Result<HttpResponse> result = co_await handler_(std::move(request));
    if (!result.ok()) co_return problem(result.error());
    co_return std::move(*result);
  }

  const HttpServerOptions options_;
  const HttpHandler handler_;
  Acceptor acceptor_;
  std::set<Stream*> streams_;
  bool stopping_ = false;
  Gate gate_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(Executor executor, HttpServerOptions options,
                                                      HttpHandler handler) {
  auto server = std::make_unique<Server>(executor, std::move(options), std::move(handler));
  TRY(server->listen());
  return server;
}

}  // namespace turbine::admin
