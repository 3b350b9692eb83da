#include "nfs/datagram_server.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>

#include "base/log.hpp"
#include "nfs/dispatch.hpp"

namespace turbine::nfs {
namespace {

constexpr auto kAwait = asio::as_tuple(UseAwaitable{});
constexpr size_t kMessageBytesMax = 2048;  // the longest call of the port mapper has 500
constexpr size_t kMarkBytes = 4;

}  // namespace

DatagramServer::DatagramServer(Environment& env, Options options,
                               std::vector<const Program*> programs)
    : env_(env),
      options_(std::move(options)),
      programs_(std::move(programs)),
      socket_(env.clock.executor()),
      gate_(env.clock.executor()) {}

Result<> DatagramServer::start() {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options_.address, error);
  if (error) return fail(Errc::invalid, "{} is not an IP address", options_.address);
  const asio::ip::udp::endpoint endpoint(address, options_.port);
  socket_.open(endpoint.protocol(), error);
  if (error) return fail(Errc::io, "can't open a socket: {}", error.message());
  if (options_.share_port) {
    const int on = 1;
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  }
  socket_.bind(endpoint, error);
  if (error) {
    return fail(
        Errc::exists,
        "can't listen on {} UDP port {}: {}; choose another port, or end what listens there",
        options_.address, options_.port, error.message());
  }
  port_ = socket_.local_endpoint(error).port();
  gate_.spawn("rpc datagrams", serve());
  return {};
}

Task<> DatagramServer::stop() {
  auto closed = gate_.close();
  boost::system::error_code ignored;
  socket_.close(ignored);
  co_return co_await std::move(closed);
}

Task<> DatagramServer::serve() {
  std::array<char, kMessageBytesMax> room;
  while (socket_.is_open()) {
    asio::ip::udp::endpoint from;
    const auto [error, size] =
        co_await socket_.async_receive_from(asio::buffer(room), from, kAwait);
    if (error == asio::error::operation_aborted) break;
    if (error) continue;  // of a datagram that we had sent: nobody listens there
    CO_TRY(co_await answer(Buffer::copy_of(std::string_view(room.data(), size)), from));
  }
  co_return Result<>{};
}

Task<> DatagramServer::answer(Buffer message, asio::ip::udp::endpoint from) {
  Client client(ClientAddress{from.address(), from.port()});
  RpcCall call;
  call.record.head = std::move(message);
  call.client = &client;
  call.sink = this;
  call.received = env_.clock.now();
  XdrReader reader(call.record.head);
  const CallVerdict verdict = read_call(reader, call.header);
  if (verdict == CallVerdict::not_a_call) co_return Result<>{};
  call.arguments_at = call.record.head.size() - reader.rest().size();
  if (verdict != CallVerdict::ok) {
    refuse(call, verdict);
  } else if (const Procedure* procedure = find_procedure(programs_, env_.stats, call)) {
    CO_TRY(co_await procedure->run(env_, std::move(call)));
  }
  const std::string reply = take_reply();
  // A reply that is lost is asked for again.
  (void)co_await socket_.async_send_to(asio::buffer(reply), from, kAwait);
  co_return Result<>{};
}

std::string DatagramServer::take_reply() {
  std::string bytes;
  while (!out_.empty()) {
    std::array<asio::const_buffer, 1> piece;
    out_.gather(piece);
    bytes.append(static_cast<const char*>(piece[0].data()), piece[0].size());
    out_.consume(piece[0].size());
  }
  return bytes.substr(std::min(kMarkBytes, bytes.size()));
}

Task<> DatagramServer::reserve(RpcCall&, size_t) {
  co_return Result<>{};
}

void DatagramServer::replied(const RpcCall&) {}

}  // namespace turbine::nfs
