// From the records of partitions to the terms of files.
#pragma once

#include "fs/files.hpp"
#include "proto/meta.pb.h"

namespace turbine::fs {

FileType to_file_type(proto::FileType type);
proto::FileType to_proto(FileType type);
FileStat to_file_stat(const proto::Inode& inode);
/// Both sides empty when the partition told nothing.
FileChange to_file_change(const proto::InodeChange& change);
proto::Credentials to_proto(const Credentials& who);
void fill_time(proto::NewTime& to, const NewStat::Time& from);

}  // namespace turbine::fs
