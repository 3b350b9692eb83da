#include "nfs/nlm4_support.hpp"

namespace turbine::nfs {
namespace {

NfsTask<Nlm4TestResult> test(Request request, Nlm4TestArgs args) {
  const NfsFh3 handle = CO_TRY(to_handle(args.lock.fh));
  const auto file = CO_TRY(co_await request.open(handle));
  fs::FileLock lock = CO_TRY(to_lock(request, file.inode, args.lock, args.exclusive));
  const auto holder =
      CO_TRY(co_await request.env.locks->locks().test(request.who(file.access), std::move(lock)));
  Nlm4TestResult result;
  if (!holder) co_return result;
  result.stat = Nlm4Stats::denied;
  result.holder.exclusive = holder->exclusive;
  result.holder.svid = holder->owner.process;
  result.holder.oh.bytes = holder->owner.handle;
  result.holder.offset = holder->span.begin;
  if (holder->span.end != fs::kLockToEnd) {
    result.holder.length = holder->span.end - holder->span.begin;
  }
  co_return result;
}

}  // namespace

NfsTask<Nlm4TestResult> nlm4_test(Request request, Nlm4TestArgs args) {
  Netobj cookie = args.cookie;
  return nlm4_answer(std::move(cookie), test(request, std::move(args)));
}

}  // namespace turbine::nfs
