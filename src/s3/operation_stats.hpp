// Counters and latencies of every S3 operation, for /metrics and `stats`.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "base/latency_histogram.hpp"

namespace turbine::s3 {

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
