#include "nfs/nlm4.hpp"
#include "nfs/run_procedure.hpp"

namespace turbine::nfs {
namespace {

constexpr Procedure kNlmProcedures[] = {
    {0, "NULL", kRun<nlm4_null>},
    {1, "TEST", kRun<nlm4_test>},
    {2, "LOCK", kRun<nlm4_lock>},
    {3, "CANCEL", kRun<nlm4_cancel>},
    {4, "UNLOCK", kRun<nlm4_unlock>},
    {5, "GRANTED", kRun<nlm4_granted>},
    {6, "TEST_MSG", kRun<nlm4_test_msg>},
    {7, "LOCK_MSG", kRun<nlm4_lock_msg>},
    {8, "CANCEL_MSG", kRun<nlm4_cancel_msg>},
    {9, "UNLOCK_MSG", kRun<nlm4_unlock_msg>},
    {10, "GRANTED_MSG", kRun<nlm4_granted_msg>},
    {kNlmTestRes, "TEST_RES", kRun<nlm4_test_res>},
    {kNlmLockRes, "LOCK_RES", kRun<nlm4_res>},
    {kNlmCancelRes, "CANCEL_RES", kRun<nlm4_res>},
    {kNlmUnlockRes, "UNLOCK_RES", kRun<nlm4_res>},
    {kNlmGrantedRes, "GRANTED_RES", kRun<nlm4_res>},
    {20, "SHARE", kRun<nlm4_share>},
    {21, "UNSHARE", kRun<nlm4_unshare>},
    {22, "NM_LOCK", kRun<nlm4_nm_lock>},
    {23, "FREE_ALL", kRun<nlm4_free_all>},
};

constexpr Program kNlmTable{kNlmProgram, kNlmVersion, "nlm", kNlmProcedures};

}  // namespace

const Program& nlm4_program() {
  return kNlmTable;
}

}  // namespace turbine::nfs
