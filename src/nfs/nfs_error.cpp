#include "nfs/nfs_error.hpp"

#include "base/log.hpp"

namespace turbine::nfs {

Nfsstat3 to_nfsstat3(Errc code) {
  switch (code) {
    case Errc::ok:
      return Nfsstat3::ok;
    case Errc::not_found:
      return Nfsstat3::noent;
    case Errc::exists:
      return Nfsstat3::exist;
    case Errc::not_empty:
      return Nfsstat3::notempty;
    case Errc::not_directory:
      return Nfsstat3::notdir;
    case Errc::is_directory:
      return Nfsstat3::isdir;
    case Errc::invalid:
    case Errc::out_of_range:
      return Nfsstat3::inval;
    case Errc::name_too_long:
      return Nfsstat3::nametoolong;
    case Errc::denied:
      return Nfsstat3::acces;
    case Errc::not_permitted:
      return Nfsstat3::perm;
    case Errc::precondition_failed:
      return Nfsstat3::not_sync;
    case Errc::no_space:
      return Nfsstat3::nospc;
    case Errc::quota_exceeded:
      return Nfsstat3::dquot;
    case Errc::too_large:
      return Nfsstat3::fbig;
    case Errc::cross_device:
      return Nfsstat3::xdev;
    case Errc::too_many_links:
      return Nfsstat3::mlink;
    case Errc::corrupt:
    case Errc::io:
      return Nfsstat3::io;
    case Errc::stale:
      return Nfsstat3::stale;
    case Errc::unsupported:
      return Nfsstat3::notsupp;
    case Errc::conflict:
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::wrong_primary:
    case Errc::stale_epoch:
    case Errc::busy:
    case Errc::closed:
      return Nfsstat3::jukebox;
  }
  return Nfsstat3::serverfault;
}

NfsError::NfsError(const Error& error)
    : status(to_nfsstat3(error.code)), outcome_unknown(error.code == Errc::timeout) {
  if (status == Nfsstat3::io || status == Nfsstat3::serverfault) {
    log::warn("nfs: a call failed: {}", error.text());
  }
}

}  // namespace turbine::nfs
