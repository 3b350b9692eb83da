#include "nfs/mount3.hpp"
#include "nfs/run_procedure.hpp"

namespace turbine::nfs {
namespace {

constexpr Procedure kMountProcedures[] = {
    {0, "NULL", kRun<mount3_null>},       {1, "MNT", kRun<mount3_mnt>},
    {2, "DUMP", kRun<mount3_dump>},       {3, "UMNT", kRun<mount3_umnt>},
    {4, "UMNTALL", kRun<mount3_umntall>}, {5, "EXPORT", kRun<mount3_export>},
};

constexpr Program kMountTable{kMountProgram, kMountVersion, "mount", kMountProcedures};

}  // namespace

const Program& mount3_program() {
  return kMountTable;
}

}  // namespace turbine::nfs
