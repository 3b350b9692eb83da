#include "nfs/nlm4.hpp"

namespace turbine::nfs {

/// Gateways wait for no locks of others.
NfsTask<Nlm4Result> nlm4_granted(Request, Nlm4TestArgs args) {
  Nlm4Result result;
  result.cookie = std::move(args.cookie);
  result.stat = Nlm4Stats::denied;
  co_return result;
}

}  // namespace turbine::nfs
