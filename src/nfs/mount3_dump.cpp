#include "nfs/mount3.hpp"

namespace turbine::nfs {

/// Gateways keep no list of who mounted what: it would be of this gateway only, and of guesses.
NfsTask<DumpResult> mount3_dump(Request, MountNothing) {
  co_return DumpResult{};
}

}  // namespace turbine::nfs
