// Entries of directories as the operations on files look for them.
#pragma once

#include <optional>
#include <string>

#include "meta/partition.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::meta {

/// An entry by its real name.
struct EntryName {
  std::string name;
  std::optional<bool> is_directory;  // empty: the directory, or else the file
};
/// What a shown name stands for. Errc::not_found.
Task<EntryName> resolve_name(PartitionPtr partition, InodeId directory, std::string shown);
/// The real name that a new entry gets. Errc::invalid: it can't be given.
Result<std::string> name_to_make(const std::string& shown);
/// Errc::invalid: an object with an empty key is what a bucket's file of the empty name would be.
Result<> check_new_file(const proto::Inode& directory, const std::string& name);

struct Entry {
  std::string name;
  bool is_directory = false;
  proto::Dirent dirent;

  /// Of the file or directory.
  InodeId id() const;
};
/// A directory made by mkdir, other than a bucket, is an object: an empty one, but for a file with
/// the empty name in it.
bool is_object(const proto::Inode& directory);
Task<std::optional<Entry>> find_entry(PartitionPtr partition, InodeId directory, EntryName name);

/// The inode, wherever it is.
Task<proto::Inode> fetch_inode(PartitionPtr partition, InodeId id);
/// Whether `who` may take the entry out of the directory: right to write there, and the sticky bit.
Task<> check_removal(PartitionPtr partition, proto::Credentials who, proto::Inode directory,
                     Entry entry);

/// Takes locks that are waited for or, when `wait` is false, only tried. Errc::busy.
Task<> take_locks(PartitionPtr partition, std::vector<LockRequest> requests, bool wait, Half* half);

/// Locks for taking a name out of a directory: the name, and the directory's presence in the mode
/// that is needed in case this is its last entry.
struct RemovalLocks {
  proto::Inode directory;
  bool last = false;  // an implicit directory is left empty
};
/// `more`: taken with them.
Task<RemovalLocks> lock_removal(PartitionPtr partition, InodeId directory, std::string name,
                                std::vector<LockRequest> more, bool wait, Half* half);

}  // namespace turbine::meta
