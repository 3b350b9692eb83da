#include "nfs/nlm4.hpp"

namespace turbine::nfs {

/// A lock whose client is not monitored. Nor are others: clients say by themselves that they began
/// anew, of these with FREE_ALL. It does not wait.
NfsTask<Nlm4Result> nlm4_nm_lock(Request request, Nlm4LockArgs args) {
  args.block = false;
  return nlm4_lock(request, std::move(args));
}

}  // namespace turbine::nfs
