// One thread of the load generator with its connections.
#pragma once

#include <string>

#include "base/result.hpp"
#include "workload.hpp"

namespace turbine::bench {

/// Runs `connections` connections until the load is stopping or its keys are done.
void run_worker(Load& load, uint64_t thread_index, uint64_t connections);

}  // namespace turbine::bench
