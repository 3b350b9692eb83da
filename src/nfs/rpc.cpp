#include "nfs/rpc.hpp"

namespace turbine::nfs {
namespace {

constexpr uint32_t kCall = 0, kReply = 1;
constexpr uint32_t kAccepted = 0, kDenied = 1;
constexpr uint32_t kRpcMismatch = 0, kAuthError = 1;
constexpr uint32_t kAuthBadCred = 1, kAuthRejectedCred = 2, kAuthBadVerf = 3;
constexpr size_t kAuthBytesMax = 400;
constexpr size_t kMachineNameMax = 255;

bool read_auth_sys(ByteView body, RpcCredential& credential) {
  XdrReader reader(body);
  uint32_t stamp = 0;
  reader(stamp);
  reader.opaque(kMachineNameMax);
  reader(credential.uid, credential.gid, credential.group_count);
  if (credential.group_count > kAuthSysGroupsMax) {
    credential.group_count = 0;
    return false;
  }
  for (uint32_t i = 0; i < credential.group_count; ++i) reader(credential.group_ids[i]);
  return reader.finished();
}

}  // namespace

CallVerdict read_call(XdrReader& reader, RpcCallHeader& header) {
  uint32_t type = 0, rpc_version = 0;
  reader(header.xid, type, rpc_version);
  if (!reader.ok() || type != kCall) return CallVerdict::not_a_call;
  if (rpc_version != kRpcVersion) return CallVerdict::rpc_mismatch;
  reader(header.program, header.version, header.procedure);
  if (!reader.ok()) return CallVerdict::not_a_call;
  uint32_t verifier_flavor = 0;
  reader(header.credential.flavor);
  const ByteView body = reader.opaque(kAuthBytesMax);
  if (!reader.ok()) return CallVerdict::bad_credential;
  reader(verifier_flavor);
  reader.opaque(kAuthBytesMax);
  if (!reader.ok()) return CallVerdict::bad_verifier;
  if (header.credential.flavor == kAuthNone) return CallVerdict::ok;
  if (header.credential.flavor != kAuthSys) return CallVerdict::rejected_credential;
  return read_auth_sys(body, header.credential) ? CallVerdict::ok : CallVerdict::bad_credential;
}

void write_call(XdrWriter& writer, const RpcCallHeader& header) {
  writer(header.xid, kCall, kRpcVersion, header.program, header.version, header.procedure);
  const RpcCredential& credential = header.credential;
  if (credential.flavor == kAuthSys) {
    const uint32_t bytes = 4 * (5 + credential.group_count);
    const uint32_t zero = 0;
    writer(kAuthSys, bytes, zero, zero, credential.uid, credential.gid, credential.group_count);
    for (const uint32_t group : credential.groups()) writer(group);
  } else {
    writer(credential.flavor, uint32_t{0});
  }
  writer(kAuthNone, uint32_t{0});
}

void write_accepted(XdrWriter& writer, uint32_t xid, AcceptStat stat) {
  writer(xid, kReply, kAccepted, kAuthNone, uint32_t{0}, stat);
}

void write_prog_mismatch(XdrWriter& writer, uint32_t xid, uint32_t lowest, uint32_t highest) {
  write_accepted(writer, xid, AcceptStat::prog_mismatch);
  writer(lowest, highest);
}

void write_denied(XdrWriter& writer, uint32_t xid, CallVerdict verdict) {
  writer(xid, kReply, kDenied);
  switch (verdict) {
    case CallVerdict::ok:
    case CallVerdict::not_a_call:
      CHECK(!"a reply that denies nothing");
    case CallVerdict::rpc_mismatch:
      writer(kRpcMismatch, kRpcVersion, kRpcVersion);
      return;
    case CallVerdict::bad_credential:
      writer(kAuthError, kAuthBadCred);
      return;
    case CallVerdict::rejected_credential:
      writer(kAuthError, kAuthRejectedCred);
      return;
    case CallVerdict::bad_verifier:
      writer(kAuthError, kAuthBadVerf);
      return;
  }
}

bool read_reply(XdrReader& reader, RpcReplyHeader& header) {
  uint32_t type = 0, reply_stat = 0;
  reader(header.xid, type, reply_stat);
  if (!reader.ok() || type != kReply || reply_stat > kDenied) return false;
  header.denied = reply_stat == kDenied;
  if (header.denied) {
    reader(header.reject_stat);
    if (header.reject_stat == kAuthError) {
      reader(header.auth_stat);
    } else {
      reader(header.lowest, header.highest);
    }
    return reader.finished();
  }
  uint32_t flavor = 0;
  reader(flavor);
  reader.opaque(kAuthBytesMax);
  reader(header.stat);
  if (header.stat == AcceptStat::prog_mismatch) reader(header.lowest, header.highest);
  return reader.ok();
}

}  // namespace turbine::nfs
