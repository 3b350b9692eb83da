// Latencies of operations and how they are spread.
#pragma once

#include <cstdint>
#include <vector>

namespace turbine::bench {

/// Milliseconds below which `share` (0 to 1) of the latencies stayed; 0 when there are none.
double percentile_ms(std::vector<uint32_t> latencies_us, double share);

}  // namespace turbine::bench
