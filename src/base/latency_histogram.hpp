// LatencyHistogram: how long operations of one kind took.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace turbine {

/// Latencies in buckets of a quarter of a power of two, from 1 µs to over an hour.
class LatencyHistogram {
 public:
  void add(Duration latency);
  uint64_t count() const { return count_; }
  double sum_seconds() const { return sum_seconds_; }
  /// Upper bound of the bucket that holds the quantile, in µs; 0 when nothing was added.
  double quantile_us(double quantile) const;
  static constexpr size_t kBuckets = 128;
  uint64_t bucket(size_t index) const { return buckets_[index]; }
  static double bucket_bound_us(size_t index);

 private:
  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
  double sum_seconds_ = 0;
};

}  // namespace turbine
