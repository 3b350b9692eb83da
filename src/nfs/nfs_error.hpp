// Errors of NFS, and the one place where the array's errors become NFS's.
#pragma once

#include <expected>

#include "base/task.hpp"
#include "nfs/nfs3_types.hpp"

namespace turbine::nfs {

/// Exhaustive. Whatever may pass by waiting (fail-over, a locked name) is NFS3ERR_JUKEBOX, so that
/// the client asks again; ESTALE is for inodes that are gone.
Nfsstat3 to_nfsstat3(Errc code);

struct NfsError {
  Nfsstat3 status;
  /// It may have been executed, or still be: no answer is right but that of the same call sent
  /// again.
  bool outcome_unknown = false;
  NfsError(Nfsstat3 s) : status(s) {}  // NOLINT(google-explicit-constructor)
  /// Lets CO_TRY pass errors of the files on; those that are the array's fault are logged.
  NfsError(const Error& error);  // NOLINT(google-explicit-constructor)
};

template <class T>
using NfsResult = std::expected<T, NfsError>;
/// What a procedure gives. An error becomes a result of that status without attributes.
template <class T>
using NfsTask = asio::awaitable<NfsResult<T>, Executor>;

/// return nfs_fail(Nfsstat3::rofs);
inline std::unexpected<NfsError> nfs_fail(Nfsstat3 status) {
  return std::unexpected(NfsError(status));
}

}  // namespace turbine::nfs
