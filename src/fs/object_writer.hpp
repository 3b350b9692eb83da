// ObjectWriter: an object or a part on its way in.
#pragma once

#include <memory>
#include <string>

#include "fs/core.hpp"
#include "fs/fs.hpp"

namespace turbine::fs {

struct WriteTarget {
  std::string bucket, key;
  std::string upload;  // empty: the object itself
  uint32_t part_number = 0;
};

/// Small objects are held until commit() and go into the partition's log entry; larger ones become
/// stripes while they come, a bounded number at once, and very large ones gather under a hidden
/// inode. Dropped without commit(), or after a commit() that certainly did nothing, what was
/// written is freed in the background.
std::unique_ptr<ObjectWriter> make_object_writer(CorePtr core, CallContext call,
                                                 WriteTarget target);

}  // namespace turbine::fs
