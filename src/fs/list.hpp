// Listing a bucket in the byte order of its keys.
#pragma once

#include <string>

#include "fs/core.hpp"
#include "fs/fs.hpp"

namespace turbine::fs {

/// As FileSystem::list(). Errc::unavailable when any partition that holds a part of the answer
/// can't be asked: a listing is never silently short.
Task<ListResult> list_objects(CorePtr core, std::string bucket, ListRequest request);

}  // namespace turbine::fs
