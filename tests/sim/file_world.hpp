// FileWorld: the clients of files in a run.
#pragma once

#include <memory>
#include <vector>

#include "sim/file_client.hpp"

namespace turbine::sim {

/// They have numbers of their own out of the seed: what else a seed decides stays as it is.
class FileWorld {
 public:
  FileWorld(SimArray& array, uint64_t seed);

  /// Before any fault.
  Task<> set_up();
  void spawn(Gate& gate, const bool& stop);
  /// When the faults are over: everything is seen through both doors, and then removed.
  Task<> check_all();
  Task<> remove_all();

  const FileCounters& counters() const { return counters_; }

 private:
  SimArray& array_;
  FileCounters counters_;
  InodeId bucket_;
  std::vector<std::unique_ptr<FileClient>> clients_;
};

}  // namespace turbine::sim
