// RpcTestClient: raw RPC records over a socket.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>

#include "base/async.hpp"
#include "nfs/connection.hpp"
#include "nfs/rpc.hpp"
#include "support/loop.hpp"

namespace turbine::test {

/// The bytes of a message.
template <class T>
std::string xdr_bytes(const T& value) {
  nfs::GatherList list;
  nfs::XdrWriter writer(list);
  writer(value);
  std::string out;
  while (!list.empty()) {
    std::array<asio::const_buffer, 1> piece;
    list.gather(piece);
    out.append(static_cast<const char*>(piece[0].data()), piece[0].size());
    list.consume(piece[0].size());
  }
  return out;
}

struct CallMessage {
  nfs::RpcCallHeader header;
  void xdr(nfs::XdrWriter& writer) const { nfs::write_call(writer, header); }
};

inline std::string record_mark(size_t size, bool last = true) {
  std::string out;
  append_be(out, static_cast<uint32_t>(size) | (last ? 0x80000000U : 0U));
  return out;
}
inline std::string as_record(const std::string& text) {
  return record_mark(text.size()) + text;
}

/// A reply as it came, and its head.
struct RawReply {
  Buffer record;
  nfs::RpcReplyHeader header;
  bool good = false;
  std::string results;
};

class RpcTestClient {
 public:
  explicit RpcTestClient(Loop& loop) : socket_(loop.executor()) {}

  Task<> connect(uint16_t port) {
    auto [error] = co_await socket_.async_connect({asio::ip::make_address("127.0.0.1"), port},
                                                  asio::as_tuple(UseAwaitable{}));
    if (error) co_return fail(Errc::io, "connect: {}", error.message());
    co_return Result<>{};
  }
  Task<> send(std::string bytes) {
    auto [error, count] =
        co_await asio::async_write(socket_, asio::buffer(bytes), asio::as_tuple(UseAwaitable{}));
    if (error) co_return fail(Errc::closed, "send: {}", error.message());
    co_return Result<>{};
  }
  /// One record; Errc::closed when the server has closed.
  Task<RawReply> receive() {
    const std::string mark = CO_TRY(co_await read(4));
    RawReply reply;
    reply.record = Buffer::copy_of(
        std::string_view(CO_TRY(co_await read(load_be<uint32_t>(mark.data()) & 0x7FFFFFFFU))));
    nfs::XdrReader reader(reply.record);
    reply.good = nfs::read_reply(reader, reply.header);
    reply.results = as_text(reader.rest());
    co_return reply;
  }
  Task<std::string> read(size_t size) {
    std::string bytes(size, '\0');
    auto [error, count] =
        co_await asio::async_read(socket_, asio::buffer(bytes), asio::as_tuple(UseAwaitable{}));
    if (error) co_return fail(Errc::closed, "receive: {}", error.message());
    co_return bytes;
  }
  nfs::Socket& socket() { return socket_; }
  uint32_t next_xid = 1;
  nfs::RpcCredential credential;

  template <class Args>
  std::string call_bytes(uint32_t program, uint32_t version, uint32_t procedure, const Args& args) {
    return xdr_bytes(CallMessage{{next_xid++, program, version, procedure, credential}}) +
           xdr_bytes(args);
  }

 private:
  nfs::Socket socket_;
};

}  // namespace turbine::test
