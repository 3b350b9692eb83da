#include "nfs/rpcbind.hpp"

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "base/async.hpp"
#include "nfs/rpc.hpp"

namespace turbine::nfs {
namespace {

constexpr uint32_t kRpcbindProgram = 100000, kRpcbindVersion = 4;
constexpr uint32_t kSet = 1, kUnset = 2;
constexpr Duration kPatience = std::chrono::seconds(2);
constexpr uint32_t kPortReplyBytesMax = 4096;

using LocalSocket = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;

/// rpcb (RFC 1833 section 2.1).
struct Binding {
  uint32_t program, version;
  std::string netid, address, owner;
  void xdr(XdrWriter& writer) const { writer(program, version, netid, address, owner); }
};

/// A universal address: the port as two numbers behind the host (RFC 5665 section 5.2.3).
Binding to_binding(const PortMapping& mapping, const std::string& address) {
  const std::string_view protocol = mapping.protocol == kProtocolUdp ? "udp" : "tcp";
  return {mapping.program, mapping.version,
          fmt::format("{}{}", protocol, address.contains(':') ? "6" : ""),
          fmt::format("{}.{}.{}", address, mapping.port >> 8, mapping.port & 255), "superuser"};
}

std::string to_record(uint32_t xid, uint32_t procedure, const Binding& binding) {
  GatherList list;
  XdrWriter writer(list);
  writer.begin_record();
  write_call(writer, {xid, kRpcbindProgram, kRpcbindVersion, procedure, {}});
  writer(binding);
  writer.end_record();
  std::string record;
  while (!list.empty()) {
    std::array<asio::const_buffer, 1> piece;
    list.gather(piece);
    record.append(static_cast<const char*>(piece[0].data()), piece[0].size());
    list.consume(piece[0].size());
  }
  return record;
}

Task<bool> ask(LocalSocket& socket, uint32_t xid, uint32_t procedure, Binding binding) {
  const std::string call = to_record(xid, procedure, binding);
  const auto [unsent, sent] = co_await asio::async_write(socket, asio::buffer(call), kAwait);
  if (unsent) co_return fail(Errc::unavailable, "rpcbind: {}", unsent.message());
  std::array<std::byte, 4> mark;
  auto [unread, count] = co_await asio::async_read(socket, asio::buffer(mark), kAwait);
  const uint32_t size = load_be<uint32_t>(mark.data()) & 0x7FFFFFFFU;
  if (unread || size > kPortReplyBytesMax) {
    co_return fail(Errc::unavailable, "rpcbind gave no answer that can be read");
  }
  Buffer reply = Buffer::zeroed(size);
  const MutableByteView room = reply.mutable_view();
  std::tie(unread, count) =
      co_await asio::async_read(socket, asio::buffer(room.data(), room.size()), kAwait);
  if (unread) co_return fail(Errc::unavailable, "rpcbind: {}", unread.message());
  XdrReader reader(reply);
  RpcReplyHeader header;
  bool done = false;
  if (!read_reply(reader, header) || header.denied || header.stat != AcceptStat::success) {
    co_return fail(
        Errc::denied,
        "rpcbind refuses program {}: only root may register; run the gateway as root, or "
        "register by hand",
        binding.program);
  }
  reader(done);
  co_return done;
}

Task<> converse(LocalSocket& socket, std::string path, std::string address,
                std::vector<PortMapping> mappings, bool set) {
  const auto [error] = co_await socket.async_connect({path}, kAwait);
  if (error) {
    co_return fail(Errc::unavailable,
                   "no rpcbind answers at {}: {}; start it, or leave nfs.register_rpcbind out",
                   path, error.message());
  }
  uint32_t xid = 0;
  for (const PortMapping& mapping : mappings) {
    const Binding binding = to_binding(mapping, address);
    (void)CO_TRY(co_await ask(socket, ++xid, kUnset, binding));  // false: there was none
    if (set && !CO_TRY(co_await ask(socket, ++xid, kSet, binding))) {
      co_return fail(Errc::denied, "rpcbind does not take program {} version {}: another has it",
                     mapping.program, mapping.version);
    }
  }
  co_return Result<>{};
}

Task<> converse_in_time(Clock& clock, std::string path, std::string address,
                        std::vector<PortMapping> mappings, bool set) {
  LocalSocket socket(clock.executor());
  bool late = false;
  const TimerId timer = clock.call_at(clock.now() + kPatience, [&] {
    late = true;
    boost::system::error_code ignored;
    socket.close(ignored);
  });
  Result<> done =
      co_await converse(socket, std::move(path), std::move(address), std::move(mappings), set);
  clock.cancel(timer);
  if (late && !done.ok()) co_return fail(Errc::timeout, "rpcbind does not answer");
  co_return done;
}

}  // namespace

Task<> register_with_rpcbind(Clock& clock, std::string socket_path, std::string address,
                             std::vector<PortMapping> mappings) {
  return converse_in_time(clock, std::move(socket_path), std::move(address), std::move(mappings),
                          true);
}

Task<> unregister_from_rpcbind(Clock& clock, std::string socket_path, std::string address,
                               std::vector<PortMapping> mappings) {
  return converse_in_time(clock, std::move(socket_path), std::move(address), std::move(mappings),
                          false);
}

}  // namespace turbine::nfs
