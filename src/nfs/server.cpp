#include "nfs/server.hpp"

#include <sys/socket.h>

#include "base/async.hpp"
#include "base/log.hpp"

namespace turbine::nfs {
namespace {

constexpr Duration kCheckInterval = std::chrono::seconds(1);
constexpr int kBacklog = 1024;

}  // namespace

RpcServer::RpcServer(Environment& env, Options options, std::vector<const Program*> programs)
    : env_(env),
      options_(std::move(options)),
      programs_(std::move(programs)),
      acceptor_(env.clock.executor()),
      gate_(env.clock.executor()),
      memory_(env.clock.executor(), options_.limits.server_bytes_max),
      state_{env_, options_.limits, programs_, gate_, memory_} {}

RpcServer::~RpcServer() {
  env_.clock.cancel(check_timer_);
}

Result<> RpcServer::start() {
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
  if (!error) acceptor_.listen(kBacklog, error);
  if (error) {
    return fail(Errc::exists,
                "can't listen on {} port {}: {}; choose another port, or end what "
                "listens there",
                options_.address, options_.port, error.message());
  }
  port_ = acceptor_.local_endpoint(error).port();
  state_.last_check = env_.clock.now();
  gate_.spawn("nfs accept", accept_loop());
  check_connections();
  return {};
}

Task<> RpcServer::accept_loop() {
  while (!gate_.closing()) {
    auto [error, accepted] = co_await acceptor_.async_accept(kAwait);
    if (gate_.closing() || error == asio::error::operation_aborted) break;
    if (error) {  // out of descriptors: wait for connections to end
      log::warn("nfs: can't accept a connection: {}", error.message());
      (void)co_await env_.clock.sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    if (connections_.size() >= options_.limits.connections_max) {
      if (!std::exchange(at_most_logged_, true)) {
        log::warn("nfs: {} connections are open, further ones are cut at once",
                  connections_.size());
      }
      continue;  // closes it
    }
    boost::system::error_code ignored;
    accepted.set_option(asio::ip::tcp::no_delay(true), ignored);
    accepted.set_option(asio::socket_base::keep_alive(true), ignored);
    connections_.push_back(std::make_unique<Connection>(std::move(accepted), state_));
    gate_.spawn("nfs connection", serve(std::prev(connections_.end())));
  }
  co_return Result<>{};
}

Task<> RpcServer::serve(Connections::iterator connection) {
  auto result = co_await (*connection)->run();
  connections_.erase(connection);
  at_most_logged_ = false;
  co_return result;
}

void RpcServer::check_connections() {
  const TimePoint now = env_.clock.now();
  if (state_.slept(now)) cut_connections();
  state_.last_check = now;
  for (auto& connection : connections_) connection->check(now);
  check_timer_ = env_.clock.call_at(now + kCheckInterval, [this] { check_connections(); });
}

void RpcServer::cut_connections() {
  log::warn("nfs: this process has not run for a while, {} connections are cut",
            connections_.size());
  for (auto& connection : connections_) connection->abort();
  boost::system::error_code error;
  acceptor_.non_blocking(true, error);
  while (!error) acceptor_.accept(error).close();
}

Task<> RpcServer::stop(Duration grace) {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (auto& connection : connections_) connection->finish();
  const TimerId timer = env_.clock.call_at(env_.clock.now() + grace, [this] {
    for (auto& connection : connections_) connection->abort();
  });
  auto closed = co_await gate_.close();
  env_.clock.cancel(timer);
  env_.clock.cancel(check_timer_);
  co_return closed;
}

}  // namespace turbine::nfs
