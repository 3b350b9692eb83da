#include "nfs/nsm1.hpp"

namespace turbine::nfs {

/// Refused: nobody is called when other hosts begin anew. The lock manager that this is made for
/// is the array's own, and has no need of it.
NfsTask<NsmStatResult> nsm1_mon(Request, NsmMonArgs) {
  co_return NsmStatResult{};
}

}  // namespace turbine::nfs
