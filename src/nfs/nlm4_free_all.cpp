#include "nfs/nlm4_support.hpp"

namespace turbine::nfs {

/// A client without a status monitor began anew; so its state says nothing. Not answered until all
/// is released.
NfsTask<VoidArgs> nlm4_free_all(Request request, Nlm4NotifyArgs args) {
  CO_TRY(co_await request.env.locks->locks().release_client(
      request.call.client->address.address.to_string(), args.name.bytes, 0));
  co_return VoidArgs{};
}

}  // namespace turbine::nfs
