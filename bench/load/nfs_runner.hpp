// Runs an NFS load over many connections, each with many calls in flight.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nfs_workload.hpp"
#include "process_cpu.hpp"

namespace turbine::bench {

struct NfsOperationStats {
  uint64_t count = 0, errors = 0, bytes = 0, items = 0;
  std::vector<uint32_t> latencies_us;  // of those without error
};

struct NfsLoadResult {
  double seconds = 0;
  std::map<std::string, NfsOperationStats> operations;
  std::vector<CpuUse> server_cpu;
  double client_cpu_seconds = 0;
  double machine_cpu_seconds = 0;  // all cores, all processes

  uint64_t errors() const;
};

/// Runs until options.seconds are over (0: until the workload has finished) in the calling thread.
/// NFS errors are counted, the first few printed; a broken connection ends the load with an error.
Result<NfsLoadResult> run_nfs_load(const NfsTarget& target, const NfsLoadOptions& options,
                                   NfsWorkload& workload, CpuWatch& cpu);

}  // namespace turbine::bench
