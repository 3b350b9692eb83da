#include "nfs/mount3.hpp"

namespace turbine::nfs {

NfsTask<MountNothing> mount3_null(Request, MountNothing) {
  co_return MountNothing{};
}

}  // namespace turbine::nfs
