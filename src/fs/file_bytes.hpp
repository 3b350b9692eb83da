// Bytes of files at places: what READ and WRITE of files do.
#pragma once

#include "fs/core.hpp"
#include "fs/files.hpp"

namespace turbine::fs {

Task<FileBytes> read_file(CorePtr core, Credentials who, InodeId file, uint64_t offset,
                          uint32_t count);
Task<FileChange> write_file(CorePtr core, CallContext call, Credentials who, InodeId file,
                            uint64_t offset, std::vector<Buffer> bytes);

}  // namespace turbine::fs
