#include "nfs/nsm1.hpp"

namespace turbine::nfs {

/// Does nothing: nobody may make the array forget.
NfsTask<VoidArgs> nsm1_simu_crash(Request, VoidArgs) {
  co_return VoidArgs{};
}

}  // namespace turbine::nfs
