// What must be true of the replicas of partitions: at any time, and when all is quiet.
#pragma once

#include <string>
#include <vector>

#include "sim/sim_array.hpp"

namespace turbine::sim {

/// False, and a complaint: replicas of one partition on two blades may answer at the same time.
bool check_leaders(SimArray& array);

/// What is wrong with the replicas: too few in sync, or rows that differ. Everything serves.
std::vector<std::string> look_at_replicas(SimArray& array);

}  // namespace turbine::sim
