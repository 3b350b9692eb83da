// What the procedures of NLM share.
#pragma once

#include "nfs/lock_service.hpp"
#include "nfs/nlm4.hpp"

namespace turbine::nfs {

/// Exhaustive. What may pass by waiting has no word in NLM and is not answered; see run_procedure.
Nlm4Stats to_nlm4_stats(Nfsstat3 status);

/// The bytes that a client means; fbig: they begin where no file reaches.
NfsResult<fs::LockSpan> to_span(uint64_t offset, uint64_t length);
/// The owner as the array knows it: by the client's address besides what the client says.
fs::LockOwner to_owner(const Request& request, const NlmString& name, const Netobj& handle,
                       uint32_t process);

/// badhandle.
NfsResult<NfsFh3> to_handle(const Netobj& bytes);
NfsResult<fs::FileLock> to_lock(const Request& request, InodeId file, const Nlm4Lock& lock,
                                bool exclusive);
/// The file of a handle, for what a client may do also where it has no export any more: giving back
/// what it holds. badhandle, stale.
NfsResult<InodeId> to_file(const Request& request, const Netobj& bytes);

/// A result with the cookie of the call. An error becomes its status.
template <class Outcome>
NfsTask<Outcome> nlm4_answer(Netobj cookie, NfsTask<Outcome> work) {
  auto outcome = co_await std::move(work);
  if (!outcome.has_value()) {
    if (outcome.error().status == Nfsstat3::jukebox) co_return outcome;
    Outcome failed;
    failed.stat = to_nlm4_stats(outcome.error().status);
    failed.cookie = std::move(cookie);
    co_return failed;
  }
  outcome->cookie = std::move(cookie);
  co_return outcome;
}

}  // namespace turbine::nfs
