// ONC RPC version 2 (RFC 5531): call headers, credentials, the forms of replies.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "nfs/xdr.hpp"

namespace turbine::nfs {

inline constexpr uint32_t kRpcVersion = 2;
inline constexpr uint32_t kAuthNone = 0, kAuthSys = 1;
inline constexpr uint32_t kAuthSysGroupsMax = 16;

/// opaque_auth of AUTH_SYS (RFC 5531 appendix A) without stamp and machine name, or of AUTH_NONE.
struct RpcCredential {
  uint32_t flavor = kAuthNone;
  uint32_t uid = 0, gid = 0;
  uint32_t group_count = 0;
  std::array<uint32_t, kAuthSysGroupsMax> group_ids{};

  std::span<const uint32_t> groups() const { return {group_ids.data(), group_count}; }
};

struct RpcCallHeader {
  uint32_t xid = 0;
  uint32_t program = 0, version = 0, procedure = 0;
  RpcCredential credential;
};

enum class CallVerdict {
  ok,
  not_a_call,           // cut the connection: there is no reply to that
  rpc_mismatch,         // MSG_DENIED
  bad_credential,       // AUTH_BADCRED: AUTH_SYS that is none
  rejected_credential,  // AUTH_REJECTEDCRED: a flavour that is not spoken here
  bad_verifier,         // AUTH_BADVERF: longer than 400 bytes
};
/// Reads a call up to its arguments. `header.xid` is set unless not_a_call.
CallVerdict read_call(XdrReader& reader, RpcCallHeader& header);

/// Writes a call up to its arguments, with an empty verifier. For clients.
void write_call(XdrWriter& writer, const RpcCallHeader& header);

enum class AcceptStat : uint32_t {
  success = 0,
  prog_unavail = 1,
  prog_mismatch = 2,
  proc_unavail = 3,
  garbage_args = 4,
  system_err = 5,
};

/// The head of an accepted reply. Behind success come the results; behind prog_mismatch the lowest
/// and the highest version (see write_prog_mismatch()).
void write_accepted(XdrWriter& writer, uint32_t xid, AcceptStat stat);
void write_prog_mismatch(XdrWriter& writer, uint32_t xid, uint32_t lowest, uint32_t highest);
/// The denial that `verdict`, neither ok nor not_a_call, demands.
void write_denied(XdrWriter& writer, uint32_t xid, CallVerdict verdict);

/// Reads a reply up to its results; for clients. `denied`: MSG_DENIED, all else is zero.
struct RpcReplyHeader {
  uint32_t xid = 0;
  bool denied = false;
  uint32_t reject_stat = 0;  // when denied: 0 RPC_MISMATCH, 1 AUTH_ERROR
  uint32_t auth_stat = 0;    // when AUTH_ERROR
  AcceptStat stat = AcceptStat::success;
  uint32_t lowest = 0, highest = 0;  // of either mismatch
};
bool read_reply(XdrReader& reader, RpcReplyHeader& header);

}  // namespace turbine::nfs
