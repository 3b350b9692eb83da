#include "nfs/rpc_caller.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "base/async.hpp"
#include "nfs/portmap2.hpp"

namespace turbine::nfs {
namespace {

constexpr size_t kReplyBytesMax = size_t{16} * 1024;
constexpr uint32_t kLastFragment = 0x8000'0000;
constexpr uint32_t kPortmapGetport = 3;

/// One connection; whatever is under way ends when its time is over.
class Caller {
 public:
  using Endpoint = asio::ip::tcp::endpoint;

  Caller(Clock& clock, Duration time_max) : clock_(clock), socket_(clock.executor()) {
    timer_ = clock.call_at(clock.now() + time_max, [this] {
      late_ = true;
      boost::system::error_code ignored;
      socket_.close(ignored);
    });
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() { clock_.cancel(timer_); }

  Task<Buffer> call(RpcPeer host, uint16_t port, RpcCallHeader header, std::string arguments) {
    const Endpoint to(host.address, port);
    CO_TRY(open(host));
    auto [failed] = co_await socket_.async_connect(to, kAwait);
    if (failed) co_return fail(trouble("connect to", to, failed));
    const std::string record = record_of(header, arguments);
    auto [unsent, sent] = co_await asio::async_write(socket_, asio::buffer(record), kAwait);
    if (unsent) co_return fail(trouble("send to", to, unsent));
    std::string reply;
    for (bool last = false; !last;) {
      uint32_t mark = 0;
      std::array<std::byte, sizeof mark> bytes{};
      auto [ended, size] = co_await asio::async_read(socket_, asio::buffer(bytes), kAwait);
      if (ended) co_return fail(trouble("hear from", to, ended));
      mark = load_be<uint32_t>(bytes.data());
      last = (mark & kLastFragment) != 0;
      const size_t length = mark & ~kLastFragment;
      if (length > kReplyBytesMax - reply.size() || (length == 0 && !last)) {
        co_return fail(Errc::corrupt, "{} port {} answers too much", to.address().to_string(),
                       to.port());
      }
      const size_t at = reply.size();
      reply.resize(at + length);
      auto [cut, got] =
          co_await asio::async_read(socket_, asio::buffer(reply.data() + at, length), kAwait);
      if (cut) co_return fail(trouble("hear from", to, cut));
    }
    co_return results_of(to, header, Buffer::copy_of(std::string_view(reply)));
  }

 private:
  Result<> open(const RpcPeer& host) {
    boost::system::error_code error;
    socket_.open(Endpoint(host.address, 0).protocol(), error);
    if (!error && host.local.is_v4() == host.address.is_v4() && !host.local.is_unspecified()) {
      socket_.bind(Endpoint(host.local, 0), error);
    }
    if (error) return fail(Errc::unavailable, "no socket for a call: {}", error.message());
    return {};
  }
  static std::string record_of(const RpcCallHeader& header, const std::string& arguments) {
    GatherList list;
    XdrWriter writer(list);
    write_call(writer, header);
    const std::string head = list.take_text();
    std::string record;
    append_be(record, static_cast<uint32_t>(head.size() + arguments.size()) | kLastFragment);
    return record + head + arguments;
  }
  static Result<Buffer> results_of(const Endpoint& from, const RpcCallHeader& header,
                                   Buffer reply) {
    XdrReader reader(reply);
    RpcReplyHeader head;
    if (!read_reply(reader, head) || head.xid != header.xid) {
      return fail(Errc::corrupt, "{} port {} does not answer as RPC does",
                  from.address().to_string(), from.port());
    }
    if (head.denied || head.stat != AcceptStat::success) {
      return fail(Errc::unavailable, "{} port {} refuses procedure {} of program {}: {}",
                  from.address().to_string(), from.port(), header.procedure, header.program,
                  head.denied ? std::string("denied")
                              : fmt::format("status {}", static_cast<uint32_t>(head.stat)));
    }
    const size_t size = reader.rest().size();
    return reply.slice(reply.size() - size, size);
  }
  Error trouble(std::string_view what, const Endpoint& to, boost::system::error_code error) const {
    return {late_ ? Errc::timeout : Errc::unavailable,
            fmt::format("can't {} {} port {}: {}", what, to.address().to_string(), to.port(),
                        late_ ? "no answer in time" : error.message())};
  }

  Clock& clock_;
  asio::basic_stream_socket<asio::ip::tcp, Executor> socket_;
  TimerId timer_;
  bool late_ = false;
};

RpcCallHeader header_of(uint32_t program, uint32_t version, uint32_t procedure) {
  static uint32_t last_xid = 0;  // one reactor thread
  RpcCallHeader header{++last_xid, program, version, procedure, {}};
  header.credential.flavor = kAuthSys;
  return header;
}

}  // namespace

Task<Buffer> call_host(Clock& clock, RpcPeer host, uint32_t program, uint32_t version,
                       uint32_t procedure, std::string arguments, RpcCallerOptions options) {
  Mapping wanted{program, version, kProtocolTcp, 0};
  PortResult found;
  {
    Caller portmap(clock, options.time_max);
    const Buffer answer = CO_TRY(co_await portmap.call(
        host, options.portmap_port, header_of(kPortmapProgram, kPortmapVersion, kPortmapGetport),
        xdr_text(wanted)));
    XdrReader reader(answer);
    reader(found);
    if (!reader.finished()) co_return fail(Errc::corrupt, "a port mapper answers no port");
  }
  if (found.port == 0 || found.port > UINT16_MAX) {
    co_return fail(Errc::unavailable, "{} has no program {} over TCP", host.address.to_string(),
                   program);
  }
  Caller caller(clock, options.time_max);
  co_return co_await caller.call(host, static_cast<uint16_t>(found.port),
                                 header_of(program, version, procedure), std::move(arguments));
}

}  // namespace turbine::nfs
