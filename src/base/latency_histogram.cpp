#include "base/latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace turbine {

void LatencyHistogram::add(Duration latency) {
  const auto us = static_cast<uint64_t>(std::max<int64_t>(latency.count() / 1000, 1));
  const auto power = static_cast<size_t>(std::bit_width(us) - 1);
  const size_t quarter = power >= 2 ? (us >> (power - 2)) & 3 : (us << (2 - power)) & 3;
  ++buckets_[std::min(power * 4 + quarter, kBuckets - 1)];
  ++count_;
  sum_seconds_ += static_cast<double>(latency.count()) * 1e-9;
}

double LatencyHistogram::bucket_bound_us(size_t index) {
  const double base = std::ldexp(1.0, static_cast<int>(index / 4));
  return base * (1.0 + static_cast<double>(index % 4 + 1) / 4);
}

double LatencyHistogram::quantile_us(double quantile) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= wanted && buckets_[i] > 0) return bucket_bound_us(i);
  }
  return 0;
}

}  // namespace turbine
