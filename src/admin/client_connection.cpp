#include "admin/client_connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

namespace turbine::admin {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

/// Runs one asynchronous step to its end, so that the stream's time-out applies to it.
template <class Begin>
beast::error_code run_step(asio::io_context& context, Begin begin) {
  std::optional<beast::error_code> outcome;
  begin([&outcome](beast::error_code error, auto&&...) { outcome = error; });
  context.restart();
  context.run();
  return outcome.value_or(asio::error::operation_aborted);
}

std::unexpected<Error> failure(const ClientRequest& request, std::string_view doing,
                               beast::error_code error) {
  const bool late = error == beast::error::timeout;
  return fail(late ? Errc::timeout : Errc::unavailable, "{} {}:{}: {}", doing, request.host,
              request.port, late ? "no answer in time" : error.message());
}

}  // namespace

Result<HttpResponse> http_call(const ClientRequest& request) {
  asio::io_context context;
  beast::error_code error;
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(request.host, std::to_string(request.port), error);
  if (error) return failure(request, "looking up", error);

  beast::tcp_stream stream(context);
  stream.expires_after(std::chrono::milliseconds(request.timeout_ms));
  error = run_step(context, [&](auto done) { stream.async_connect(found, std::move(done)); });
  if (error) return failure(request, "connecting to", error);

  http::request<http::string_body> message;
  message.method_string(request.method);
  message.target(request.target);
  message.version(11);
  message.set(http::field::host, fmt::format("{}:{}", request.host, request.port));
  message.set(http::field::accept, "application/json");
  if (!request.token.empty()) {
    message.set(http::field::authorization, "Bearer " + request.token);
  }
  if (!request.body.empty()) message.set(http::field::content_type, "application/json");
  message.body() = request.body;
  message.keep_alive(false);
  message.prepare_payload();
  error =
      run_step(context, [&](auto done) { http::async_write(stream, message, std::move(done)); });
  if (error) return failure(request, "sending to", error);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(size_t{64} << 20);
  error = run_step(context,
                   [&](auto done) { http::async_read(stream, buffer, parser, std::move(done)); });
  if (error) return failure(request, "reading from", error);

  HttpResponse response;
  response.status = static_cast<int>(parser.get().result_int());
  response.content_type = std::string(parser.get()[http::field::content_type]);
  response.body = std::move(parser.get().body());
  return response;
}

}  // namespace turbine::admin
