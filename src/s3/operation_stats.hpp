// Counters and latencies of every S3 operation, for /metrics and `stats`.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>

#include "base/clock.hpp"

namespace turbine::s3 {

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

struct OperationCounters {
  uint64_t count = 0;
  uint64_t client_errors = 0;            // 4xx
  uint64_t server_errors = 0;            // 5xx and cut connections
  uint64_t bytes_in = 0, bytes_out = 0;  // of bodies
  LatencyHistogram latency;
};

/// One per gateway process; one reactor thread. Names are literals.
class OperationStats {
 public:
  OperationCounters& of(std::string_view operation) { return counters_[operation]; }
  const std::map<std::string_view, OperationCounters>& all() const { return counters_; }
  uint64_t in_flight = 0;

 private:
  std::map<std::string_view, OperationCounters> counters_;
};

}  // namespace turbine::s3
