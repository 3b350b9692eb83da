// Counters and latencies of every procedure, for /metrics and `stats`.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/latency_histogram.hpp"

namespace turbine::nfs {

struct Procedure;
struct Program;

struct CallCounters {
  uint64_t count = 0;
  uint64_t errors = 0;       // any status but OK, NOENT of a LOOKUP too; arguments that are none
  uint64_t bytes = 0;        // read or written
  LatencyHistogram latency;  // until the reply is ready to be sent
};

/// One per gateway process and reactor. Programs and their tables are constants.
class CallStats {
 public:
  struct Row {
    const Program* program = nullptr;
    CallCounters counters;
  };
  /// Stays where it is.
  CallCounters& of(const Program& program, const Procedure& procedure) {
    Row& row = rows_[&procedure];
    row.program = &program;
    return row.counters;
  }
  const std::unordered_map<const Procedure*, Row>& all() const { return rows_; }

 private:
  std::unordered_map<const Procedure*, Row> rows_;
};

}  // namespace turbine::nfs
