// Procedures by messages: the call has no result, which is a call back to the client instead.
#include "nfs/nlm4_support.hpp"

namespace turbine::nfs {
namespace {

/// What is not answered is not called back either: the client sends its message again.
template <class Outcome>
NfsTask<VoidArgs> send_back(Request request, uint32_t procedure, NfsTask<Outcome> work) {
  const Outcome outcome = CO_TRY(co_await std::move(work));
  const Client& client = *request.call.client;
  request.env.locks->send({client.address.address, client.local}, procedure, xdr_text(outcome));
  co_return VoidArgs{};
}

}  // namespace

NfsTask<VoidArgs> nlm4_test_msg(Request request, Nlm4TestArgs args) {
  return send_back(request, kNlmTestRes, nlm4_test(request, std::move(args)));
}

NfsTask<VoidArgs> nlm4_lock_msg(Request request, Nlm4LockArgs args) {
  return send_back(request, kNlmLockRes, nlm4_lock(request, std::move(args)));
}

NfsTask<VoidArgs> nlm4_cancel_msg(Request request, Nlm4CancelArgs args) {
  return send_back(request, kNlmCancelRes, nlm4_cancel(request, std::move(args)));
}

NfsTask<VoidArgs> nlm4_unlock_msg(Request request, Nlm4UnlockArgs args) {
  return send_back(request, kNlmUnlockRes, nlm4_unlock(request, std::move(args)));
}

NfsTask<VoidArgs> nlm4_granted_msg(Request request, Nlm4TestArgs args) {
  return send_back(request, kNlmGrantedRes, nlm4_granted(request, std::move(args)));
}

NfsTask<VoidArgs> nlm4_test_res(Request, Nlm4TestResult) {
  co_return VoidArgs{};
}

NfsTask<VoidArgs> nlm4_res(Request, Nlm4Result) {
  co_return VoidArgs{};
}

}  // namespace turbine::nfs
