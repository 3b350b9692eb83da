#include "nfs/nfs3_procedures.hpp"
#include "nfs/run_procedure.hpp"

namespace turbine::nfs {
namespace {

// docs/NFS.md tells users the same; a test compares the two.
constexpr Procedure kNfsProcedures[] = {
    {0, "NULL", kRun<nfs3_null>},          {1, "GETATTR", kRun<nfs3_getattr>},
    {2, "SETATTR", kRun<nfs3_setattr>},    {3, "LOOKUP", kRun<nfs3_lookup>},
    {4, "ACCESS", kRun<nfs3_access>},      {5, "READLINK", kRun<nfs3_readlink>},
    {6, "READ", kRun<nfs3_read>},          {7, "WRITE", kRun<nfs3_write>},
    {8, "CREATE", kRun<nfs3_create>},      {9, "MKDIR", kRun<nfs3_mkdir>},
    {10, "SYMLINK", kRun<nfs3_symlink>},   {11, "MKNOD", kRun<nfs3_mknod>},
    {12, "REMOVE", kRun<nfs3_remove>},     {13, "RMDIR", kRun<nfs3_rmdir>},
    {14, "RENAME", kRun<nfs3_rename>},     {15, "LINK", kRun<nfs3_link>},
    {16, "READDIR", kRun<nfs3_readdir>},   {17, "READDIRPLUS", kRun<nfs3_readdirplus>},
    {18, "FSSTAT", kRun<nfs3_fsstat>},     {19, "FSINFO", kRun<nfs3_fsinfo>},
    {20, "PATHCONF", kRun<nfs3_pathconf>}, {21, "COMMIT", kRun<nfs3_commit>},
};

constexpr Program kNfsTable{kNfsProgram, kNfsVersion, "nfs", kNfsProcedures};

}  // namespace

const Program& nfs3_program() {
  return kNfsTable;
}

}  // namespace turbine::nfs
