// Allocator: free space of the chunk area, in units of 4 KiB.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/buffer.hpp"

namespace turbine::chunk {

/// Hands out runs of units, first fit from a moving cursor so that shards of one stripe burst lie
/// together and freed space is not reused at once. Kept in memory only: rebuilt from the index at
/// start. All numbers are bytes and multiples of 4096, relative to the area's start.
class Allocator {
 public:
  explicit Allocator(uint64_t area_bytes);

  /// A free run of exactly `bytes`; nullopt when there is none.
  std::optional<uint64_t> allocate(uint64_t bytes);
  /// Marks a run as taken at start. False when it is outside the area or partly taken.
  bool reserve(uint64_t offset, uint64_t bytes);
  /// Gives a taken run back. CHECKs that it was taken.
  void release(uint64_t offset, uint64_t bytes);

  uint64_t total_bytes() const { return total_bytes_; }
  uint64_t free_bytes() const { return free_bytes_; }
  uint64_t largest_run_bytes() const;

 private:
  using Runs = std::map<uint64_t, uint64_t>;  // offset -> bytes, neighbours merged
  void insert(uint64_t offset, uint64_t bytes);
  void erase(Runs::iterator run);
  uint64_t take(Runs::iterator run, uint64_t bytes);

  uint64_t total_bytes_;
  uint64_t free_bytes_ = 0;
  uint64_t cursor_ = 0;
  Runs runs_;
  std::set<std::pair<uint64_t, uint64_t>> by_size_;  // (bytes, offset)
};

}  // namespace turbine::chunk
