// Sub-operations on files: what a partition can be asked to prepare for RENAME, LINK_FILE, and for
// whoever removes or replaces a file that is a row of its own. As prepare_half().
#pragma once

#include "meta/half.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::meta {

/// Errc::busy: the name stands for something else by now.
Task<> take_entry(PartitionPtr partition, proto::TakeEntry operation, bool wait, Half* half);
Task<> add_link(PartitionPtr partition, proto::AddLink operation, Half* half);
Task<> drop_link(PartitionPtr partition, proto::DropLink operation, Half* half);
Task<> set_parent(PartitionPtr partition, proto::SetParent operation, Half* half);
Task<> lock_renames(PartitionPtr partition, bool wait, Half* half);
Task<> replace_file(PartitionPtr partition, proto::ReplaceFile operation, Half* half);

}  // namespace turbine::meta
