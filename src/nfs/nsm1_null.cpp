#include "nfs/nsm1.hpp"

namespace turbine::nfs {

NfsTask<VoidArgs> nsm1_null(Request, VoidArgs) {
  co_return VoidArgs{};
}

}  // namespace turbine::nfs
