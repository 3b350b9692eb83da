#include "nfs/nsm1.hpp"

namespace turbine::nfs {

/// Whether it would monitor that host: never, see nsm1_mon().
NfsTask<NsmStatResult> nsm1_stat(Request, NsmNameArgs) {
  co_return NsmStatResult{};
}

}  // namespace turbine::nfs
