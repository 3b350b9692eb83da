#include "nfs/lock_service.hpp"
#include "nfs/nsm1.hpp"

namespace turbine::nfs {

/// A client began anew: what it had locked before is free. Not answered until all is: the client
/// says it again. Who repeats it later loses nothing, for its new locks carry the new state.
NfsTask<VoidArgs> nsm1_notify(Request request, NsmStatChangeArgs args) {
  CO_TRY(co_await request.env.locks->locks().release_client(
      request.call.client->address.address.to_string(), args.mon_name.bytes, args.state));
  co_return VoidArgs{};
}

}  // namespace turbine::nfs
