#include "nfs/mount3.hpp"

namespace turbine::nfs {

/// Nothing was noted at MNT, so nothing is to be forgotten.
NfsTask<MountNothing> mount3_umnt(Request, MountPathArgs) {
  co_return MountNothing{};
}

}  // namespace turbine::nfs
