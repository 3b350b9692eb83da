// From a received call to its procedure, or to the answer that there is none.
#pragma once

#include <span>

#include "nfs/procedure.hpp"

namespace turbine::nfs {

/// Null: none of the programs has it, and the call has been answered as RFC 5531 says.
const Procedure* find_procedure(std::span<const Program* const> programs, CallStats& stats,
                                RpcCall& call);
/// Answers a call that `verdict`, neither ok nor not_a_call, denies.
void refuse(const RpcCall& call, CallVerdict verdict);

}  // namespace turbine::nfs
