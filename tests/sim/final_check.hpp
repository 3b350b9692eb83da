// What must be true of an array after its faults are over.
#pragma once

#include "sim/sim_array.hpp"

namespace turbine::sim {

/// Every blade is healthy, every stripe is whole and the shards on the blades are exactly those
/// that stripes name: nothing is lost, nothing leaks. Waits for it, and complains when it does not
/// come. `empty`: there must be no stripe at all, and no record but the root's and the bucket's.
Task<> check_stored(SimArray& array, bool empty);

}  // namespace turbine::sim
