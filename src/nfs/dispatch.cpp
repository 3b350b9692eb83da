#include "nfs/dispatch.hpp"

#include "nfs/run_procedure.hpp"

namespace turbine::nfs {

const Procedure* find_procedure(std::span<const Program* const> programs, CallStats& stats,
                                RpcCall& call) {
  const Program* other_version = nullptr;
  for (const Program* program : programs) {
    if (program->number != call.header.program) continue;
    other_version = program;
    if (program->version != call.header.version) continue;
    const Procedure* procedure = program->find(call.header.procedure);
    if (procedure == nullptr) {
      reply(call, AcceptStat::proc_unavail, NoResult{});
    } else {
      call.counters = &stats.of(*program, *procedure);
    }
    return procedure;
  }
  if (other_version == nullptr) {
    reply(call, AcceptStat::prog_unavail, NoResult{});
    return nullptr;
  }
  XdrWriter writer(call.sink->replies());
  writer.begin_record();
  write_prog_mismatch(writer, call.header.xid, other_version->version, other_version->version);
  writer.end_record();
  call.sink->replied(call);
  return nullptr;
}

void refuse(const RpcCall& call, CallVerdict verdict) {
  XdrWriter writer(call.sink->replies());
  writer.begin_record();
  write_denied(writer, call.header.xid, verdict);
  writer.end_record();
  call.sink->replied(call);
}

}  // namespace turbine::nfs
