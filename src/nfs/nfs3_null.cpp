#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

NfsTask<VoidResult> nfs3_null(Request, VoidArgs) {
  co_return VoidResult{};
}

}  // namespace turbine::nfs
