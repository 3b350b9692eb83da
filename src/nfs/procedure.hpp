// Programs as tables of procedures, and what a procedure gets.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "fs/files.hpp"
#include "nfs/call_stats.hpp"
#include "nfs/exports.hpp"
#include "nfs/file_handle.hpp"
#include "nfs/nfs_error.hpp"
#include "nfs/record_reader.hpp"
#include "nfs/rpc.hpp"

namespace turbine::nfs {

inline constexpr uint32_t kProtocolTcp = 6, kProtocolUdp = 17;

/// A row of what the port mapper tells (RFC 1833).
struct PortMapping {
  uint32_t program = 0, version = 0;
  uint16_t port = 0;
  uint32_t protocol = kProtocolTcp;
};

class LockService;

/// What all procedures share. The parts outlive the servers.
struct Environment {
  fs::Files& files;
  Exports& exports;
  const HandleCodec& handles;
  Clock& clock;
  uint64_t write_verifier =
      0;  // one per array, for all gateways: nothing acknowledged is ever lost
  std::vector<PortMapping> ports;
  CallStats stats{};
  LockService* locks = nullptr;  // where NLM and NSM are served
};

/// A connection's client, with the access it was given last.
struct Client {
  ClientAddress address;
  boost::asio::ip::address local;  // ours that it has called
  SessionId session;               // for request ids: the same for all connections of the address

  explicit Client(ClientAddress from, boost::asio::ip::address to = {});
  Task<std::optional<ExportAccess>> access(Exports& exports, InodeId root);
  /// The answer of access(), if it still holds.
  const std::optional<ExportAccess>* known_access(const Exports& exports, InodeId root) const {
    const bool holds = known_ && generation_ == exports.generation() && root_ == root;
    return holds ? &cached_ : nullptr;
  }
  /// The port is one that only the client's root can have, or need not be.
  bool may_use(const ExportAccess& access) const;

 private:
  bool known_ = false;
  uint64_t generation_ = 0;
  InodeId root_;
  std::optional<ExportAccess> cached_;
};

struct RpcCall;

/// Where replies go: the connection. One thread.
class ReplySink {
 public:
  /// Waits until `bytes` of memory may be used for a call (its reply, mostly). Errc::closed: the
  /// client is gone.
  virtual Task<> reserve(RpcCall& call, size_t bytes) = 0;
  /// Replies are put in here, each at once and followed by replied(), once per call.
  virtual GatherList& replies() = 0;
  virtual void replied(const RpcCall& call) = 0;
  /// In place of a reply: there is none, and the client sends the call again.
  virtual void dropped(const RpcCall& call) = 0;
  /// After dropped(), for a client that would wait for long before it sends the call again.
  virtual void hang_up() = 0;

 protected:
  ~ReplySink() = default;
};

/// A call that was received; lives until it is answered.
struct RpcCall {
  Record record;
  RpcCallHeader header;
  size_t arguments_at = 0;  // in record.head
  size_t reserved = 0;      // bytes of the server's memory that go back when it is answered
  TimePoint received{};
  Client* client = nullptr;
  ReplySink* sink = nullptr;
  CallCounters* counters = nullptr;  // of its procedure

  ByteView arguments() const { return record.head.view().subspan(arguments_at); }
};

/// A call inside its procedure.
struct Request {
  Environment& env;
  RpcCall& call;

  /// A file that a handle names, and what the client may do there.
  struct Opened {
    InodeId export_root, inode;
    ExportAccess access;
    bool is_root() const { return export_root == inode; }
  };
  /// badhandle; stale: forged, or no export of this client any more; acces: from a port that any
  /// user of the client may have; jukebox: the array can't tell now.
  NfsTask<Opened> open(const NfsFh3& handle) const;
  /// As open(); rofs when the export is read-only.
  NfsTask<Opened> open_to_change(const NfsFh3& handle) const;
  /// Who asks, after squashing.
  fs::Credentials who(const ExportAccess& access) const;
  /// The identity of a mutation, so that a retransmission through any gateway executes once: client
  /// address, xid, procedure, user and arguments. `payload_hash` stands for what of the arguments
  /// is behind `arguments`.
  fs::CallContext mutation(ByteView arguments, uint64_t payload_hash = 0) const;
  fs::CallContext mutation() const { return mutation(call.arguments()); }

  NfsFh3 handle(const Opened& near, InodeId inode) const {
    return env.handles.encode({near.export_root, inode});
  }
};

/// One row of a program. `run` decodes the arguments, executes and answers, whatever comes.
struct Procedure {
  uint32_t number;
  std::string_view name;  // as the RFC names it
  Task<> (*run)(Environment& env, RpcCall call);
};

struct Program {
  uint32_t number, version;
  std::string_view name;
  std::span<const Procedure> procedures;

  const Procedure* find(uint32_t procedure) const;
};

const Program& nfs3_program();
const Program& mount3_program();
const Program& portmap2_program();
const Program& nlm4_program();
const Program& nsm1_program();

/// nametoolong, or inval for an empty name and one with NUL or '/'.
NfsResult<std::string> checked_name(std::string_view name);
inline bool is_dot(std::string_view name) {
  return name == ".";
}
inline bool is_dot_or_dotdot(std::string_view name) {
  return name == "." || name == "..";
}

}  // namespace turbine::nfs
