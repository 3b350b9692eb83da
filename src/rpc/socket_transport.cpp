#include "rpc/socket_transport.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/async.hpp"
#include "base/log.hpp"

namespace turbine::rpc {
namespace {

using std::chrono::milliseconds;

constexpr auto kConnectTimeout = milliseconds(1000);  // connect and proof
constexpr auto kProofTimeout = milliseconds(5000);    // what a listener grants a stranger
constexpr auto kBackoffMin = milliseconds(5);
constexpr auto kBackoffMax = milliseconds(250);
constexpr auto kAcceptPause = milliseconds(100);  // when descriptors have run out

}  // namespace

std::unique_ptr<Transport> make_socket_transport(Executor executor, Clock& clock,
                                                 TransportOptions options) {
  return std::make_unique<SocketTransport>(executor, clock, std::move(options));
}

// --- channel ---------------------------------------------------------------------------------

SocketChannel::SocketChannel(Address address, Clock& clock, Gate& gate,
                             const TransportOptions& options)
    : address_(std::move(address)),
      clock_(clock),
      gate_(gate),
      options_(options),
      backoff_(kBackoffMin),
      connect_ended_(clock.executor()) {}

SocketChannel::~SocketChannel() {
  stop();
}

void SocketChannel::stop() {
  stopped_ = true;
  if (connection_) connection_->close("the channel is stopping");
  connect_ended_.notify_all();
}

Task<Reply> SocketChannel::call(Request request, TimePoint deadline) {
  return call_on(shared_from_this(), std::move(request), deadline);
}

Task<Reply> SocketChannel::call_on(std::shared_ptr<SocketChannel> self, Request request,
                                   TimePoint deadline) {
  auto connection = CO_TRY(co_await self->connect(deadline));
  co_return co_await connection->call(std::move(request), deadline);
}

Task<std::shared_ptr<SocketConnection>> SocketChannel::connect(TimePoint deadline) {
  auto self = shared_from_this();
  bool tried = false;
  TimerId timer;
  Result<> outcome;
  while (outcome.ok() && (!connection_ || connection_->closed() || connecting_)) {
    if (stopped_ || gate_.closing()) {
      outcome = fail(Errc::closed, "{}: the transport is stopping", address_);
    } else if (clock_.now() >= deadline) {
      outcome = fail(Errc::unavailable, "{}: not connected before the deadline", address_);
    } else if (!connecting_ && (tried || clock_.now() < next_attempt_)) {
      outcome = fail(Errc::unavailable, "{}: {}", address_, last_error_);
    } else {
      if (!connecting_) {
        connecting_ = true;
        gate_.spawn("connect", connect_once(self));
      }
      tried = true;
      if (timer == TimerId{}) {
        timer = clock_.call_at(deadline, [self] { self->connect_ended_.notify_all(); });
      }
      CO_TRY(co_await connect_ended_.wait());
    }
  }
  if (timer != TimerId{}) clock_.cancel(timer);
  CO_TRY(std::move(outcome));
  co_return connection_;
}

Task<> SocketChannel::connect_once(std::shared_ptr<SocketChannel> self) {
  Result<> connected = co_await self->try_connect();
  self->connecting_ = false;
  if (connected.ok()) {
    self->backoff_ = kBackoffMin;
  } else {
    self->last_error_ = connected.error().context;
    self->next_attempt_ = self->clock_.now() + self->backoff_;
    self->backoff_ = std::min<Duration>(self->backoff_ * 2, kBackoffMax);
  }
  self->connect_ended_.notify_all();
  co_return Result<>{};
}

Task<> SocketChannel::try_connect() {
  const SocketAddress parsed = CO_TRY(parse_address(address_));
  const TimePoint deadline = clock_.now() + kConnectTimeout;
  auto socket = std::make_shared<Socket>(clock_.executor());
  const TimerId timer = clock_.call_at(deadline, [socket] {
    boost::system::error_code ignored;
    socket->close(ignored);
  });
  auto [error] = co_await socket->async_connect(parsed.endpoint, kAwait);
  clock_.cancel(timer);
  if (error) co_return fail(Errc::unavailable, "can't connect: {}", error.message());
  if (parsed.tcp) tune_tcp(socket->native_handle());
  ConnectionLimits limits;
  limits.frame_bytes_max = options_.frame_bytes_max;
  connection_ = std::make_shared<SocketConnection>(std::move(*socket), address_, parsed.tcp, clock_,
                                                   gate_, limits, nullptr);
  if (parsed.tcp && options_.tls) connection_->use_tls(*options_.tls, Side::caller, parsed.host);
  if (stopped_) connection_->close("the channel is stopping");
  CO_TRY(co_await connection_->prove_as_caller(options_.secret, deadline));
  if (gate_.closing()) connection_->close("the transport is stopping");
  gate_.spawn("connection", connection_->run());
  co_return Result<>{};
}

// --- listener --------------------------------------------------------------------------------

SocketListener::SocketListener(Address address, int descriptor, Clock& clock, Handler handler,
                               TransportOptions options)
    : address_(bound_address(address, descriptor)),
      acceptor_(clock.executor(), descriptor),
      clock_(clock),
      gate_(clock.executor()),
      handler_(std::move(handler)),
      options_(std::move(options)) {
  gate_.spawn("accept " + address_, accept_loop());
}

Task<> SocketListener::accept_loop() {
  while (!gate_.closing()) {
    auto [error] = co_await acceptor_.async_wait(asio::posix::descriptor_base::wait_read, kAwait);
    if (error) break;
    for (;;) {
      const int descriptor =
          ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor >= 0) {
        admit(descriptor);
        continue;
      }
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || gate_.closing()) break;
      log::error("{}: can't accept: {}", address_, std::strerror(errno));
      CO_TRY(co_await clock_.sleep_for(kAcceptPause));
      break;
    }
  }
  co_return Result<>{};
}

void SocketListener::admit(int descriptor) {
  if (connections_.size() >= options_.connections_max) {
    log::warn("{}: {} connections are open, which is the limit; closing a new one", address_,
              connections_.size());
    ::close(descriptor);
    return;
  }
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size);
  const bool tcp = name.ss_family != AF_UNIX;
  if (tcp) tune_tcp(descriptor);
  Socket socket(clock_.executor(), asio::generic::stream_protocol(name.ss_family, 0), descriptor);
  ConnectionLimits limits;
  limits.frame_bytes_max = options_.frame_bytes_max;
  const std::string peer = tcp ? "peer " + peer_name(descriptor) + " of " : "peer of ";
  auto connection = std::make_shared<SocketConnection>(std::move(socket), peer + address_, tcp,
                                                       clock_, gate_, limits, handler_);
  if (tcp && options_.tls) connection->use_tls(*options_.tls, Side::server, "");
  const uint64_t number = next_number_++;
  connections_.emplace(number, connection);
  gate_.spawn("connection", serve(number, connection));
}

Task<> SocketListener::serve(uint64_t number, std::shared_ptr<SocketConnection> connection) {
  Result<> proved =
      co_await connection->prove_as_server(options_.secret, clock_.now() + kProofTimeout);
  if (proved.ok()) {
    Result<> ended = co_await connection->run();
    if (!ended.ok()) log::warn("{}", ended.error().text());
  } else if (!gate_.closing()) {
    log::warn("{}: refused a connection: {}", address_, proved.error().text());
  }
  connection->close("ended");
  connections_.erase(number);
  co_return Result<>{};
}

Task<> SocketListener::stop() {
  if (!stopped_) {
    stopped_ = true;
    if (address_.starts_with("unix:")) ::unlink(address_.substr(5).c_str());
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (auto& [number, connection] : connections_) connection->close("the server is stopping");
  }
  co_return co_await gate_.close();
}

// --- transport -------------------------------------------------------------------------------

SocketTransport::SocketTransport(Executor executor, Clock& clock, TransportOptions options)
    : clock_(clock), options_(std::move(options)), gate_(executor) {}

std::shared_ptr<Channel> SocketTransport::channel(const Address& address) {
  if (const auto known = channels_.find(address); known != channels_.end()) return known->second;
  std::erase_if(channels_, [](const auto& entry) {
    return entry.second.use_count() == 1 && !entry.second->connected();
  });
  auto made = std::make_shared<SocketChannel>(address, clock_, gate_, options_);
  channels_[address] = made;
  return made;
}

Result<std::unique_ptr<Listener>> SocketTransport::listen(const Address& address, Handler handler) {
  const SocketAddress parsed = TRY(parse_address(address));
  if (parsed.tcp && options_.tls) TRY(options_.tls->check_name(parsed.host));
  const int descriptor = TRY(open_listening(address));
  return std::make_unique<SocketListener>(address, descriptor, clock_, std::move(handler),
                                          options_);
}

Task<> SocketTransport::stop() {
  for (auto& [address, channel] : channels_) channel->stop();
  co_return co_await gate_.close();
}

}  // namespace turbine::rpc
