// NSM version 1, the status monitor (XNFS, X/Open C702, chapter 11): messages and procedures, named
// as there.
#pragma once

#include "nfs/nfs3_args.hpp"
#include "nfs/procedure.hpp"

namespace turbine::nfs {

inline constexpr uint32_t kNsmProgram = 100024, kNsmVersion = 1;
inline constexpr size_t kNsmStringMax = 1024;
/// Of the array, which never forgets a lock: always up, always the same. Odd: up.
inline constexpr uint32_t kNsmState = 1;

using NsmString = BoundedOpaque<kNsmStringMax>;

enum class NsmRes : uint32_t { succ = 0, fail = 1 };

struct NsmNameArgs {
  NsmString mon_name;
  void xdr(this auto& self, auto& codec) { codec(self.mon_name); }
};
struct NsmMyId {
  NsmString my_name;
  uint32_t program = 0, version = 0, procedure = 0;
  void xdr(this auto& self, auto& codec) {
    codec(self.my_name, self.program, self.version, self.procedure);
  }
};
struct NsmMonId {
  NsmString mon_name;
  NsmMyId id;
  void xdr(this auto& self, auto& codec) { codec(self.mon_name, self.id); }
};
struct NsmMonArgs {
  NsmMonId id;
  uint64_t priv[2] = {};  // 16 opaque bytes
  void xdr(this auto& self, auto& codec) { codec(self.id, self.priv[0], self.priv[1]); }
};
struct NsmStatChangeArgs {
  NsmString mon_name;
  uint32_t state = 0;
  void xdr(this auto& self, auto& codec) { codec(self.mon_name, self.state); }
};

struct NsmStatResult {
  NsmRes res_stat = NsmRes::fail;
  uint32_t state = kNsmState;
  void xdr(this auto& self, auto& codec) { codec(self.res_stat, self.state); }
};
struct NsmState {
  uint32_t state = kNsmState;
  void xdr(this auto& self, auto& codec) { codec(self.state); }
};

NfsTask<VoidArgs> nsm1_null(Request request, VoidArgs args);
NfsTask<NsmStatResult> nsm1_stat(Request request, NsmNameArgs args);
NfsTask<NsmStatResult> nsm1_mon(Request request, NsmMonArgs args);
NfsTask<NsmState> nsm1_unmon(Request request, NsmMonId args);
NfsTask<NsmState> nsm1_unmon_all(Request request, NsmMyId args);
NfsTask<VoidArgs> nsm1_simu_crash(Request request, VoidArgs args);
NfsTask<VoidArgs> nsm1_notify(Request request, NsmStatChangeArgs args);

}  // namespace turbine::nfs
