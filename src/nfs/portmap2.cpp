#include "nfs/portmap2.hpp"

#include "nfs/run_procedure.hpp"

namespace turbine::nfs {
namespace {

constexpr Procedure kPortmapProcedures[] = {
    {0, "NULL", kRun<portmap2_null>},
    {3, "GETPORT", kRun<portmap2_getport>},
    {4, "DUMP", kRun<portmap2_dump>},
};

constexpr Program kPortmapTable{kPortmapProgram, kPortmapVersion, "portmap", kPortmapProcedures};

}  // namespace

const Program& portmap2_program() {
  return kPortmapTable;
}

NfsTask<PortmapNothing> portmap2_null(Request, PortmapNothing) {
  co_return PortmapNothing{};
}

/// A version that is not served gets the port of the one that is: the call that follows will say
/// PROG_MISMATCH, which tells the client more than no port.
NfsTask<PortResult> portmap2_getport(Request request, Mapping args) {
  PortResult result;
  for (const PortMapping& row : request.env.ports) {
    if (row.program == args.program && row.protocol == args.protocol) result.port = row.port;
  }
  co_return result;
}

NfsTask<MappingsResult> portmap2_dump(Request request, PortmapNothing) {
  MappingsResult result;
  for (const PortMapping& row : request.env.ports) {
    result.mappings.items.push_back({row.program, row.version, row.protocol, row.port});
  }
  co_return result;
}

}  // namespace turbine::nfs
