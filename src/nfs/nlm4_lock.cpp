#include "nfs/nlm4_support.hpp"

namespace turbine::nfs {
namespace {

/// The client that is called back, at the address at which its connection ends.
RpcPeer peer_of(const Request& request) {
  const Client& client = *request.call.client;
  return {client.address.address, client.local};
}

NfsTask<Nlm4Result> lock(Request request, Nlm4LockArgs args) {
  const NfsFh3 handle = CO_TRY(to_handle(args.lock.fh));
  const auto file =
      CO_TRY(co_await (args.exclusive ? request.open_to_change(handle) : request.open(handle)));
  const fs::FileLock lock = CO_TRY(to_lock(request, file.inode, args.lock, args.exclusive));
  LockService& service = *request.env.locks;
  const fs::LockVerdict verdict = CO_TRY(co_await service.locks().lock(
      request.mutation(), request.who(file.access), lock, args.state, args.block));
  Nlm4Result result;
  switch (verdict) {
    case fs::LockVerdict::granted:
      service.forget(lock);
      break;
    case fs::LockVerdict::deadlock:
      result.stat = Nlm4Stats::deadlck;
      break;
    case fs::LockVerdict::denied:
      result.stat = Nlm4Stats::denied;
      if (!args.block) break;
      result.stat = service.wait_for({peer_of(request), std::move(args.lock), lock, args.state})
                        ? Nlm4Stats::blocked
                        : Nlm4Stats::denied_nolocks;
      break;
  }
  co_return result;
}

}  // namespace

/// Nothing is ever to be reclaimed, so a lock that is reclaimed is a lock like all others.
NfsTask<Nlm4Result> nlm4_lock(Request request, Nlm4LockArgs args) {
  Netobj cookie = args.cookie;
  return nlm4_answer(std::move(cookie), lock(request, std::move(args)));
}

}  // namespace turbine::nfs
