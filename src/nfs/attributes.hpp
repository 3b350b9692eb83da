// Attributes: as the files have them, and as NFS shows them.
#pragma once

#include "fs/files.hpp"
#include "nfs/nfs_error.hpp"

namespace turbine::nfs {

/// Times before 1970 and after 2106, which nfstime3 can't hold, become the nearest that it can.
Nfstime3 to_nfstime3(int64_t ns);
int64_t to_ns(Nfstime3 time);

/// `export_root` is the file system id: an export is one file system to its clients.
Fattr3 to_fattr3(const fs::FileStat& stat, InodeId export_root);
PostOpAttr to_post_op_attr(const std::optional<fs::FileStat>& stat, InodeId export_root);
WccData to_wcc_data(const fs::FileChange& change, InodeId export_root);

/// inval: a time of more than 999 999 999 ns.
NfsResult<fs::NewStat> to_new_stat(const Sattr3& attributes);

/// Which of the ACCESS bits `wanted` the mode grants to `who` (RFC 1813 section 3.3.4).
uint32_t granted_access(const fs::FileStat& stat, const fs::Credentials& who, uint32_t wanted);

}  // namespace turbine::nfs
