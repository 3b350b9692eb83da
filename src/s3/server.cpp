#include "s3/server.hpp"

#include <sys/socket.h>

#include <boost/asio/write.hpp>

#include "base/async.hpp"
#include "base/log.hpp"
#include "s3/response_text.hpp"

namespace turbine::s3 {

HttpServer::HttpServer(Clock& clock, Options options, HttpHandler handler, BadHeadAnswer bad_head)
    : clock_(clock),
      options_(std::move(options)),
      handler_(std::move(handler)),
      bad_head_(std::move(bad_head)),
      acceptor_(clock.executor()),
      gate_(clock.executor()) {}

HttpServer::~HttpServer() = default;

Result<> HttpServer::start() {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options_.address, error);
  if (error) return fail(Errc::invalid, "{} is not an IP address", options_.address);
  const asio::ip::tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (error) return fail(Errc::io, "can't open a socket: {}", error.message());
  acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (options_.share_port) {
    const int on = 1;
    ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(1024, error);
  if (error) {
    return fail(Errc::exists, "can't listen on {} port {}: {}", options_.address, options_.port,
                error.message());
  }
  port_ = acceptor_.local_endpoint(error).port();
  gate_.spawn("s3 accept", accept_loop());
  return {};
}

Task<> HttpServer::accept_loop() {
  while (!gate_.closing()) {
    auto [error, accepted] = co_await acceptor_.async_accept(kAwait);
    if (gate_.closing() || error == asio::error::operation_aborted) break;
    if (error) {  // out of descriptors: wait for connections to end
      log::warn("s3: can't accept a connection: {}", error.message());
      (void)co_await clock_.sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    boost::system::error_code ignored;
    accepted.set_option(asio::ip::tcp::no_delay(true), ignored);
    if (connections_.size() >= options_.limits.connections_max) {
      gate_.spawn("s3 turn away", turn_away(std::move(accepted)));
      continue;
    }
    connections_.push_back(std::make_unique<HttpConnection>(std::move(accepted), clock_,
                                                            options_.limits, handler_, bad_head_));
    gate_.spawn("s3 connection", serve(std::prev(connections_.end())));
  }
  co_return Result<>{};
}

Task<> HttpServer::serve(Connections::iterator connection) {
  auto result = co_await (*connection)->run();
  connections_.erase(connection);
  co_return result;
}

Task<> HttpServer::turn_away(Socket socket) {
  auto [head, body] = bad_head_(Error{Errc::busy, "too many connections"});
  std::string text = format_response_head(head, body.size(), false) + body;
  socket.non_blocking(true);
  boost::system::error_code ignored;  // a few hundred bytes fit a fresh socket's buffer
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(asio::socket_base::shutdown_send, ignored);
  // Without a wait the request, unread, would turn the close into a reset.
  (void)co_await clock_.sleep_for(std::chrono::milliseconds(50));
  co_return Result<>{};
}

Task<> HttpServer::stop(Duration grace) {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (auto& connection : connections_) connection->finish();
  const TimerId timer = clock_.call_at(clock_.now() + grace, [this] {
    for (auto& connection : connections_) connection->abort();
  });
  auto closed = co_await gate_.close();
  clock_.cancel(timer);
  co_return closed;
}

}  // namespace turbine::s3
