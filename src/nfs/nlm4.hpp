// NLM version 4 (XNFS, X/Open C702, chapter 14; RFC 1813 appendix II): messages and procedures,
// named as there.
#pragma once

#include <string>

#include "fs/locks.hpp"
#include "nfs/nfs3_args.hpp"
#include "nfs/procedure.hpp"

namespace turbine::nfs {

inline constexpr uint32_t kNlmProgram = 100021, kNlmVersion = 4;
inline constexpr uint32_t kNlmGranted = 5;  // procedures that clients serve
inline constexpr uint32_t kNlmTestRes = 11, kNlmLockRes = 12, kNlmCancelRes = 13;
inline constexpr uint32_t kNlmUnlockRes = 14, kNlmGrantedRes = 15;
inline constexpr size_t kNlmStringMax = 1024;

enum class Nlm4Stats : uint32_t {
  granted = 0,
  denied = 1,
  denied_nolocks = 2,
  blocked = 3,
  denied_grace_period = 4,  // never from here: no lock is ever to be reclaimed
  deadlck = 5,
  rofs = 6,
  stale_fh = 7,
  fbig = 8,
  failed = 9,
};

using Netobj = BoundedOpaque<kNlmStringMax>;
using NlmString = BoundedOpaque<kNlmStringMax>;

struct Nlm4Lock {
  NlmString caller_name;
  Netobj fh, oh;
  uint32_t svid = 0;
  uint64_t offset = 0, length = 0;  // length 0: to the end
  void xdr(this auto& self, auto& codec) {
    codec(self.caller_name, self.fh, self.oh, self.svid, self.offset, self.length);
  }
};

struct Nlm4LockArgs {
  Netobj cookie;
  bool block = false, exclusive = false;
  Nlm4Lock lock;
  bool reclaim = false;
  uint32_t state = 0;
  void xdr(this auto& self, auto& codec) {
    codec(self.cookie, self.block, self.exclusive, self.lock, self.reclaim, self.state);
  }
};
struct Nlm4CancelArgs {
  Netobj cookie;
  bool block = false, exclusive = false;
  Nlm4Lock lock;
  void xdr(this auto& self, auto& codec) {
    codec(self.cookie, self.block, self.exclusive, self.lock);
  }
};
struct Nlm4TestArgs {
  Netobj cookie;
  bool exclusive = false;
  Nlm4Lock lock;
  void xdr(this auto& self, auto& codec) { codec(self.cookie, self.exclusive, self.lock); }
};
struct Nlm4UnlockArgs {
  Netobj cookie;
  Nlm4Lock lock;
  void xdr(this auto& self, auto& codec) { codec(self.cookie, self.lock); }
};

struct Nlm4Result {
  Netobj cookie;
  Nlm4Stats stat = Nlm4Stats::granted;
  void xdr(this auto& self, auto& codec) { codec(self.cookie, self.stat); }
};
struct Nlm4Holder {
  bool exclusive = false;
  uint32_t svid = 0;
  Netobj oh;
  uint64_t offset = 0, length = 0;
  void xdr(this auto& self, auto& codec) {
    codec(self.exclusive, self.svid, self.oh, self.offset, self.length);
  }
};
struct Nlm4TestResult {
  Netobj cookie;
  Nlm4Stats stat = Nlm4Stats::granted;
  Nlm4Holder holder;  // denied
  void xdr(this auto& self, auto& codec) {
    codec(self.cookie, self.stat);
    if (self.stat == Nlm4Stats::denied) codec(self.holder);
  }
};

/// What others may not do, and what the owner does.
enum class Fsh4Mode : uint32_t { none = 0, reads = 1, writes = 2, both = 3 };
enum class Fsh4Access : uint32_t { none = 0, reads = 1, writes = 2, both = 3 };
constexpr bool is_valid(Fsh4Mode mode) {
  return mode <= Fsh4Mode::both;
}
constexpr bool is_valid(Fsh4Access access) {
  return access <= Fsh4Access::both;
}
struct Nlm4ShareArgs {
  Netobj cookie;
  NlmString caller_name;
  Netobj fh, oh;
  Fsh4Mode mode = Fsh4Mode::none;
  Fsh4Access access = Fsh4Access::none;
  bool reclaim = false;
  void xdr(this auto& self, auto& codec) {
    codec(self.cookie, self.caller_name, self.fh, self.oh, self.mode, self.access, self.reclaim);
  }
};
struct Nlm4ShareResult {
  Netobj cookie;
  Nlm4Stats stat = Nlm4Stats::granted;
  uint32_t sequence = 0;
  void xdr(this auto& self, auto& codec) { codec(self.cookie, self.stat, self.sequence); }
};

struct Nlm4NotifyArgs {
  NlmString name;
  uint32_t state = 0;
  void xdr(this auto& self, auto& codec) { codec(self.name, self.state); }
};

NfsTask<VoidArgs> nlm4_null(Request request, VoidArgs args);
NfsTask<Nlm4TestResult> nlm4_test(Request request, Nlm4TestArgs args);
NfsTask<Nlm4Result> nlm4_lock(Request request, Nlm4LockArgs args);
NfsTask<Nlm4Result> nlm4_cancel(Request request, Nlm4CancelArgs args);
NfsTask<Nlm4Result> nlm4_unlock(Request request, Nlm4UnlockArgs args);
NfsTask<Nlm4Result> nlm4_granted(Request request, Nlm4TestArgs args);
NfsTask<Nlm4ShareResult> nlm4_share(Request request, Nlm4ShareArgs args);
NfsTask<Nlm4ShareResult> nlm4_unshare(Request request, Nlm4ShareArgs args);
NfsTask<Nlm4Result> nlm4_nm_lock(Request request, Nlm4LockArgs args);
NfsTask<VoidArgs> nlm4_free_all(Request request, Nlm4NotifyArgs args);
/// The same by messages: the result is a call back to the client.
NfsTask<VoidArgs> nlm4_test_msg(Request request, Nlm4TestArgs args);
NfsTask<VoidArgs> nlm4_lock_msg(Request request, Nlm4LockArgs args);
NfsTask<VoidArgs> nlm4_cancel_msg(Request request, Nlm4CancelArgs args);
NfsTask<VoidArgs> nlm4_unlock_msg(Request request, Nlm4UnlockArgs args);
NfsTask<VoidArgs> nlm4_granted_msg(Request request, Nlm4TestArgs args);
/// Results of messages, which nobody here sends.
NfsTask<VoidArgs> nlm4_test_res(Request request, Nlm4TestResult args);
NfsTask<VoidArgs> nlm4_res(Request request, Nlm4Result args);

}  // namespace turbine::nfs
