#include "nfs/nsm1.hpp"

namespace turbine::nfs {

NfsTask<NsmState> nsm1_unmon(Request, NsmMonId) {
  co_return NsmState{};
}

}  // namespace turbine::nfs
