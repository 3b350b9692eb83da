// Taking a file's name away, and the file with its last one.
#pragma once

#include "meta/entries.hpp"
#include "meta/transaction.hpp"

namespace turbine::meta {

/// Of a file whose inode is in the dirent. `keep_directory`: it no longer goes with its last entry.
Result<> drop_here(Partition& partition, InodeId directory, const Entry& entry, bool keep_directory,
                   Half* half);
/// Of any file. `condition` is that of its inode where that is a row of its own; who has the inode
/// in the dirent has looked at it already.
Task<> drop_file(Transaction& txn, PartitionPtr partition, InodeId directory, Entry entry,
                 bool keep_directory, proto::Condition condition = {});

}  // namespace turbine::meta
