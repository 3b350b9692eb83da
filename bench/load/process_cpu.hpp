// CPU time of processes, out of /proc.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace turbine::bench {

struct WatchedProcess {
  std::string name;  // "gateway-1"
  int pid = 0;
};

/// The processes of the array in `dir`, by DIR/run/*.pid, sorted by name.
Result<std::vector<WatchedProcess>> processes_of(const std::string& dir);

/// User and system time of all threads since the start of the process, in seconds (the kernel
/// counts in steps of 10 ms). Negative when there is no such process.
double cpu_seconds(int pid);
double own_cpu_seconds();
/// What all cores of the machine were busy since it started.
double machine_cpu_seconds();

struct CpuUse {
  std::string name;
  double seconds = 0;
};

/// Server processes; "blades" and "server", their sums; "client"; and "others": what else kept the
/// machine busy.
std::vector<CpuUse> cpu_rows(const std::vector<CpuUse>& server, double client_seconds,
                             double machine_seconds);

/// Takes the CPU time of processes at one moment; used() says what was used since.
class CpuWatch {
 public:
  explicit CpuWatch(std::vector<WatchedProcess> processes) : processes_(std::move(processes)) {}
  void begin();
  /// Processes that ended in between are left out.
  std::vector<CpuUse> used() const;
  double used_by_client() const { return own_cpu_seconds() - own_before_; }
  /// By the whole machine, interrupts and other processes included.
  double used_by_all() const { return machine_cpu_seconds() - machine_before_; }

 private:
  std::vector<WatchedProcess> processes_;
  std::vector<double> before_;
  double own_before_ = 0, machine_before_ = 0;
};

}  // namespace turbine::bench
