// RpcTestClient: raw RPC records over a socket.
#pragma once

#include <array>
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

  Task<> connect(uint16_t port);
  Task<> send(std::string bytes);
  /// One record; Errc::closed when the server has closed.
  Task<RawReply> receive();
  Task<std::string> read(size_t size);
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
