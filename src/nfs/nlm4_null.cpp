#include "nfs/nlm4.hpp"

namespace turbine::nfs {

NfsTask<VoidArgs> nlm4_null(Request, VoidArgs) {
  co_return VoidArgs{};
}

}  // namespace turbine::nfs
