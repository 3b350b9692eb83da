#include "nfs/nsm1.hpp"
#include "nfs/run_procedure.hpp"

namespace turbine::nfs {
namespace {

constexpr Procedure kNsmProcedures[] = {
    {0, "NULL", kRun<nsm1_null>},
    {1, "STAT", kRun<nsm1_stat>},
    {2, "MON", kRun<nsm1_mon>},
    {3, "UNMON", kRun<nsm1_unmon>},
    {4, "UNMON_ALL", kRun<nsm1_unmon_all>},
    {5, "SIMU_CRASH", kRun<nsm1_simu_crash>},
    {6, "NOTIFY", kRun<nsm1_notify>},
};

constexpr Program kNsmTable{kNsmProgram, kNsmVersion, "nsm", kNsmProcedures};

}  // namespace

const Program& nsm1_program() {
  return kNsmTable;
}

}  // namespace turbine::nfs
