#include "nfs/nlm4_support.hpp"

namespace turbine::nfs {
namespace {

NfsTask<Nlm4Result> cancel(Request request, Nlm4CancelArgs args) {
  const InodeId file = CO_TRY(to_file(request, args.lock.fh));
  const fs::FileLock lock = CO_TRY(to_lock(request, file, args.lock, args.exclusive));
  request.env.locks->forget(lock);
  CO_TRY(co_await request.env.locks->locks().cancel(request.mutation(), lock));
  co_return Nlm4Result{};
}

}  // namespace

/// Granted, also when nobody waited: the client does not wait any more, which is what it wants.
NfsTask<Nlm4Result> nlm4_cancel(Request request, Nlm4CancelArgs args) {
  Netobj cookie = args.cookie;
  return nlm4_answer(std::move(cookie), cancel(request, std::move(args)));
}

}  // namespace turbine::nfs
