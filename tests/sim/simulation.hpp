// One simulated run: an array, clients and faults, all out of one seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/sim_array.hpp"

namespace turbine::sim {

struct Outcome {
  uint64_t seed = 0;
  std::vector<std::string> complaints;  // empty: the run has passed
  uint64_t trace_hash = 0;
  uint64_t operations = 0, answered = 0, unknown = 0;
  uint64_t file_operations = 0;
  std::vector<std::string> faults;  // that struck
  double virtual_seconds = 0;
  bool ok() const { return complaints.empty(); }
};

/// Formats, starts, loads and breaks an array; then all faults end, everything dead starts again,
/// and what must be true of it is checked. The same options give the same outcome every time.
Outcome run_simulation(SimOptions options);

}  // namespace turbine::sim
