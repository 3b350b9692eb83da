// Scrubber: reads every shard of a blade again and again, slowly, and tells of the bad ones.
#pragma once

#include <cstdint>
#include <functional>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "chunk/chunk_store.hpp"

namespace turbine::chunk {

struct ScrubOptions {
  uint64_t bytes_per_second = uint64_t{8} << 20;
  Duration pause_between_rounds = std::chrono::hours(24);
};

/// One per blade. `report` hears of each shard that is damaged or can't be read; it outlives the
/// scrubber. Nothing is changed on disk.
class Scrubber {
 public:
  using Report = std::function<void(const ShardInfo& shard, const Error& why)>;
  Scrubber(Clock& clock, ChunkStore& store, ScrubOptions options, Report report);

  /// Goes on for ever until stop().
  void start();
  Task<> stop();
  /// One whole round; returns the number of bad shards.
  Task<uint64_t> run_once();

  uint64_t rounds() const { return rounds_; }
  uint64_t bytes_verified() const { return bytes_verified_; }

 private:
  Task<> run();
  /// Errc::closed when stop() was called meanwhile.
  Task<> pause(Duration duration);

  Clock& clock_;
  ChunkStore& store_;
  ScrubOptions options_;
  Report report_;
  uint64_t rounds_ = 0;
  uint64_t bytes_verified_ = 0;
  bool stopped_ = false;
  std::function<void()> wake_;
  Gate gate_;
};

}  // namespace turbine::chunk
