#include "nfs/procedure.hpp"

#include <algorithm>

#include "base/hash.hpp"

namespace turbine::nfs {
namespace {

constexpr uint64_t kSessionSeed = 0x7475'7262'696E'6521ULL;
constexpr uint64_t kClientSessionBit = uint64_t{1} << 63;  // gateways' own sessions have it clear
constexpr uint16_t kPrivilegedPorts = 1024;

/// IPv4 not in its IPv6 form.
boost::asio::ip::address plain(boost::asio::ip::address address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
}

SessionId session_of(const boost::asio::ip::address& address) {
  const uint64_t hash = hash64(std::string_view(address.to_string()), kSessionSeed);
  return SessionId(hash | kClientSessionBit);
}

}  // namespace

Client::Client(ClientAddress from, boost::asio::ip::address to)
    : address(std::move(from)), local(plain(std::move(to))) {
  address.address = plain(std::move(address.address));
  session = session_of(address.address);
}

Task<std::optional<ExportAccess>> Client::access(Exports& exports, InodeId root) {
  if (const auto* known = known_access(exports, root)) co_return *known;
  const uint64_t generation = exports.generation();
  const std::optional<ExportAccess> answer = CO_TRY(co_await exports.access(root, address));
  cached_ = answer;
  generation_ = generation;  // of before, so that a change meanwhile is noticed
  root_ = root;
  known_ = true;
  co_return answer;
}

bool Client::may_use(const ExportAccess& access) const {
  return !access.secure || address.port < kPrivilegedPorts;
}

NfsTask<Request::Opened> Request::open(const NfsFh3& handle) const {
  const auto decoded = env.handles.decode(handle);
  if (!decoded.has_value()) co_return nfs_fail(decoded.error());
  const InodeId root = decoded->export_root;
  std::optional<ExportAccess> access;
  if (const auto* known = call.client->known_access(env.exports, root)) {
    access = *known;
  } else {
    access = CO_TRY(co_await call.client->access(env.exports, root));
  }
  if (!access) co_return nfs_fail(Nfsstat3::stale);
  if (!call.client->may_use(*access)) co_return nfs_fail(Nfsstat3::acces);
  co_return Opened{root, decoded->inode, *access};
}

NfsTask<Request::Opened> Request::open_to_change(const NfsFh3& handle) const {
  auto opened = co_await open(handle);
  if (opened.has_value() && opened->access.read_only) co_return nfs_fail(Nfsstat3::rofs);
  co_return opened;
}

fs::Credentials Request::who(const ExportAccess& access) const {
  const RpcCredential& from = call.header.credential;
  fs::Credentials who{access.anonymous_uid, access.anonymous_gid, {}};
  if (from.flavor != kAuthSys || access.squash == Squash::all) return who;
  who.groups.assign(from.groups().begin(), from.groups().end());
  if (access.squash == Squash::none || from.uid != 0) who.uid = from.uid;
  if (access.squash == Squash::none || from.gid != 0) who.gid = from.gid;
  if (access.squash == Squash::root) {
    std::ranges::replace(who.groups, uint32_t{0}, access.anonymous_gid);
  }
  return who;
}

fs::CallContext Request::mutation(ByteView arguments, uint64_t payload_hash) const {
  const RpcCallHeader& header = call.header;
  const uint64_t seed = combine_seeds(
      header.xid, (uint64_t{header.procedure} << 32) | header.credential.uid, payload_hash);
  return {RequestId{call.client->session, hash64(arguments, seed)}, call.received, 0};
}

const Procedure* Program::find(uint32_t procedure) const {
  if (procedure < procedures.size() && procedures[procedure].number == procedure) {
    return &procedures[procedure];
  }
  const auto row = std::ranges::find(procedures, procedure, &Procedure::number);
  return row == procedures.end() ? nullptr : &*row;
}

NfsResult<std::string> checked_name(std::string_view name) {
  if (name.size() > kNameBytesMax) return nfs_fail(Nfsstat3::nametoolong);
  if (name.empty() || name.find('\0') != std::string_view::npos || name.contains('/')) {
    return nfs_fail(Nfsstat3::inval);
  }
  return std::string(name);
}

}  // namespace turbine::nfs
