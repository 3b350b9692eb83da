#include "nfs/nlm4_support.hpp"

namespace turbine::nfs {
namespace {

NfsTask<Nlm4ShareResult> unshare(Request request, Nlm4ShareArgs args) {
  const InodeId file = CO_TRY(to_file(request, args.fh));
  CO_TRY(co_await request.env.locks->locks().unshare(
      request.mutation(), file, to_owner(request, args.caller_name, args.oh, 0)));
  co_return Nlm4ShareResult{};
}

}  // namespace

NfsTask<Nlm4ShareResult> nlm4_unshare(Request request, Nlm4ShareArgs args) {
  Netobj cookie = args.cookie;
  return nlm4_answer(std::move(cookie), unshare(request, std::move(args)));
}

}  // namespace turbine::nfs
