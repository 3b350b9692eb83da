#include "nfs/nlm4_support.hpp"

namespace turbine::nfs {
namespace {

NfsTask<Nlm4Result> unlock(Request request, Nlm4UnlockArgs args) {
  const InodeId file = CO_TRY(to_file(request, args.lock.fh));
  const fs::FileLock lock = CO_TRY(to_lock(request, file, args.lock, false));
  request.env.locks->forget(lock);
  CO_TRY(co_await request.env.locks->locks().unlock(request.mutation(), lock));
  co_return Nlm4Result{};
}

}  // namespace

NfsTask<Nlm4Result> nlm4_unlock(Request request, Nlm4UnlockArgs args) {
  Netobj cookie = args.cookie;
  return nlm4_answer(std::move(cookie), unlock(request, std::move(args)));
}

}  // namespace turbine::nfs
