#include "latencies.hpp"

#include <algorithm>

namespace turbine::bench {

double percentile_ms(std::vector<uint32_t> latencies_us, double share) {
  if (latencies_us.empty()) return 0;
  const auto count = static_cast<double>(latencies_us.size());
  const auto rank = static_cast<ptrdiff_t>(std::min(count * share, count - 1));
  std::nth_element(latencies_us.begin(), latencies_us.begin() + rank, latencies_us.end());
  return latencies_us[static_cast<size_t>(rank)] / 1e3;
}

}  // namespace turbine::bench
