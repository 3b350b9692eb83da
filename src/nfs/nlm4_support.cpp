#include "nfs/nlm4_support.hpp"

namespace turbine::nfs {
namespace {

constexpr uint64_t kOffsetMax = INT64_MAX;

}  // namespace

Nlm4Stats to_nlm4_stats(Nfsstat3 status) {
  switch (status) {
    case Nfsstat3::ok:
      return Nlm4Stats::granted;
    case Nfsstat3::stale:
    case Nfsstat3::badhandle:
    case Nfsstat3::noent:
      return Nlm4Stats::stale_fh;
    case Nfsstat3::rofs:
      return Nlm4Stats::rofs;
    case Nfsstat3::fbig:
      return Nlm4Stats::fbig;
    case Nfsstat3::nospc:  // too many locks in one file
    case Nfsstat3::dquot:
      return Nlm4Stats::denied_nolocks;
    case Nfsstat3::perm:
    case Nfsstat3::io:
    case Nfsstat3::nxio:
    case Nfsstat3::acces:
    case Nfsstat3::exist:
    case Nfsstat3::xdev:
    case Nfsstat3::nodev:
    case Nfsstat3::notdir:
    case Nfsstat3::isdir:
    case Nfsstat3::inval:
    case Nfsstat3::mlink:
    case Nfsstat3::nametoolong:
    case Nfsstat3::notempty:
    case Nfsstat3::remote:
    case Nfsstat3::not_sync:
    case Nfsstat3::bad_cookie:
    case Nfsstat3::notsupp:
    case Nfsstat3::toosmall:
    case Nfsstat3::serverfault:
    case Nfsstat3::badtype:
    case Nfsstat3::jukebox:
      return Nlm4Stats::failed;
  }
  return Nlm4Stats::failed;
}

NfsResult<fs::LockSpan> to_span(uint64_t offset, uint64_t length) {
  if (offset > kOffsetMax) return nfs_fail(Nfsstat3::fbig);
  if (length == 0 || length > kOffsetMax - offset) return fs::LockSpan{offset, fs::kLockToEnd};
  return fs::LockSpan{offset, offset + length};
}

fs::LockOwner to_owner(const Request& request, const NlmString& name, const Netobj& handle,
                       uint32_t process) {
  return {request.call.client->address.address.to_string(), name.bytes, handle.bytes, process};
}

NfsResult<NfsFh3> to_handle(const Netobj& bytes) {
  NfsFh3 handle;
  if (bytes.bytes.size() > handle.bytes.size()) return nfs_fail(Nfsstat3::badhandle);
  handle.assign(as_bytes(bytes.bytes));
  return handle;
}

NfsResult<fs::FileLock> to_lock(const Request& request, InodeId file, const Nlm4Lock& lock,
                                bool exclusive) {
  const fs::LockSpan span = TRY(to_span(lock.offset, lock.length));
  return fs::FileLock{file, to_owner(request, lock.caller_name, lock.oh, lock.svid), span,
                      exclusive};
}

NfsResult<InodeId> to_file(const Request& request, const Netobj& bytes) {
  const NfsFh3 handle = TRY(to_handle(bytes));
  const auto decoded = request.env.handles.decode(handle);
  if (!decoded.has_value()) return nfs_fail(decoded.error());
  return decoded->inode;
}

}  // namespace turbine::nfs
