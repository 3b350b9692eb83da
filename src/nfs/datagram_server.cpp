#include "nfs/datagram_server.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>

#include "base/log.hpp"
#include "nfs/dispatch.hpp"

namespace turbine::nfs {
namespace {

constexpr size_t kRecordMarkBytes = 4;

}  // namespace

/// One call, and where its reply goes.
class DatagramServer::Call final : public ReplySink {
 public:
  Call(UdpSocket& socket, asio::ip::udp::endpoint from)
      : socket_(socket), from_(std::move(from)), client_({from_.address(), from_.port()}) {}

  Client* client() { return &client_; }
  Task<> reserve(RpcCall&, size_t) override { co_return Result<>{}; }
  GatherList& replies() override { return out_; }
  void replied(const RpcCall&) override {
    const std::string record = out_.take_text();
    boost::system::error_code ignored;  // the client asks again
    if (record.size() - kRecordMarkBytes > kDatagramBytesMax) return;
    socket_.send_to(asio::buffer(record) + kRecordMarkBytes, from_, 0, ignored);
  }
  void dropped(const RpcCall&) override {}
  void hang_up() override {}

 private:
  UdpSocket& socket_;
  const asio::ip::udp::endpoint from_;
  Client client_;
  GatherList out_;
};

DatagramServer::DatagramServer(Environment& env, Options options,
                               std::vector<const Program*> programs)
    : env_(env),
      options_(std::move(options)),
      programs_(std::move(programs)),
      socket_(env.clock.executor()),
      gate_(env.clock.executor()) {}

DatagramServer::~DatagramServer() = default;

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
  if (!error) socket_.non_blocking(true, error);
  if (error) {
    return fail(Errc::exists,
                "can't listen on {} UDP port {}: {}; choose another port, or end what listens "
                "there",
                options_.address, options_.port, error.message());
  }
  port_ = socket_.local_endpoint(error).port();
  gate_.spawn("nfs datagrams", receive_loop());
  return {};
}

Task<> DatagramServer::receive_loop() {
  while (socket_.is_open()) {
    Buffer datagram = Buffer::allocate(kDatagramBytesMax);
    asio::ip::udp::endpoint from;
    const MutableByteView room = datagram.mutable_view();
    const auto [error, size] = co_await socket_.async_receive_from(
        asio::buffer(room.data(), room.size()), from, asio::as_tuple(UseAwaitable{}));
    if (!socket_.is_open()) break;
    if (error || size == 0) continue;  // of an earlier reply that found nobody
    if (gate_.count() <= options_.calls_max) start_call(from, datagram.slice(0, size));
  }
  co_return Result<>{};
}

void DatagramServer::start_call(asio::ip::udp::endpoint from, Buffer datagram) {
  auto call = std::make_shared<Call>(socket_, std::move(from));
  RpcCall what;
  what.record.head = std::move(datagram);
  what.client = call->client();
  what.sink = call.get();
  what.received = env_.clock.now();
  XdrReader reader(what.record.head);
  const CallVerdict verdict = read_call(reader, what.header);
  if (verdict == CallVerdict::not_a_call) return;
  if (verdict != CallVerdict::ok) {
    refuse(what, verdict);
    return;
  }
  what.arguments_at = what.record.head.size() - reader.rest().size();
  const Procedure* procedure = find_procedure(programs_, env_.stats, what);
  if (procedure == nullptr) return;
  gate_.spawn("nfs datagram", serve(std::move(call), procedure, std::move(what)));
}

/// `call` lives until it is answered.
Task<> DatagramServer::serve(std::shared_ptr<Call> call, const Procedure* procedure, RpcCall what) {
  CHECK(call != nullptr);
  co_return co_await procedure->run(env_, std::move(what));
}

Task<> DatagramServer::stop() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  co_return co_await gate_.close();
}

}  // namespace turbine::nfs
