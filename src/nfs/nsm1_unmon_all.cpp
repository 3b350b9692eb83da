#include "nfs/nsm1.hpp"

namespace turbine::nfs {

NfsTask<NsmState> nsm1_unmon_all(Request, NsmMyId) {
  co_return NsmState{};
}

}  // namespace turbine::nfs
