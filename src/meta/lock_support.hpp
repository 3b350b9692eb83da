// What the operations on locks of files share.
#pragma once

#include <optional>

#include "meta/file_locks.hpp"
#include "meta/operations.hpp"

namespace turbine::meta {

inline constexpr size_t kLocksPerFileMax = 1024;  // they are one record

/// The locks of one file, while nobody else changes them and the file stays.
struct OpenLocks {
  proto::Inode inode;
  FileLocks table;
  KeyLocks::Guard file, locks;
};
/// Errc::stale; Errc::busy; Errc::invalid: no regular file.
Task<OpenLocks> open_locks(PartitionPtr partition, InodeId id);
/// The same of a file that may be gone, whose inode is not looked at.
Task<OpenLocks> open_locks_only(PartitionPtr partition, InodeId id);

/// As committed. Errc::corrupt.
Task<FileLocks> load_locks(PartitionPtr partition, InodeId id);

/// Who may lock a file: its owner, and who may read it. (So does Linux's server.)
Result<> check_may_lock(const proto::LockRequest& request, const proto::Inode& inode);
/// Errc::invalid: an empty span.
Result<WantedLock> wanted_lock_of(const proto::LockRequest& request);

proto::LockHolder holder_record(const HeldLock& lock);

/// The mutations of the owner's locks in that file.
proto::ChangeLocksMutation change_locks_of(InodeId file, const proto::LockOwner& owner);

/// Logs `change`, if it changes anything, under the locks of `open`, and wakes those whose turn it
/// is. Errc::no_space: more than kLocksPerFileMax.
Task<> commit_locks(Call call, OpenLocks* open, proto::ChangeLocksMutation change,
                    const google::protobuf::MessageLite* reply);

}  // namespace turbine::meta
