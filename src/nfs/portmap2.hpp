// The port mapper, version 2 (RFC 1833 section 3): for clients that are not told the ports of NFS
// and MOUNT. It knows what its process serves and takes no registrations.
#pragma once

#include "nfs/procedure.hpp"

namespace turbine::nfs {

inline constexpr uint32_t kPortmapProgram = 100000, kPortmapVersion = 2;

struct PortmapNothing {
  void xdr(this auto&, auto&) {}
};
struct Mapping {
  uint32_t program = 0, version = 0, protocol = 0, port = 0;
  void xdr(this auto& self, auto& codec) {
    codec(self.program, self.version, self.protocol, self.port);
  }
};
struct PortResult {
  uint32_t port = 0;  // 0: not served
  void xdr(this auto& self, auto& codec) { codec(self.port); }
};
struct MappingsResult {
  XdrList<Mapping> mappings;
  void xdr(this auto& self, auto& codec) { codec(self.mappings); }
};

NfsTask<PortmapNothing> portmap2_null(Request request, PortmapNothing args);
NfsTask<PortResult> portmap2_getport(Request request, Mapping args);
NfsTask<MappingsResult> portmap2_dump(Request request, PortmapNothing args);

}  // namespace turbine::nfs
