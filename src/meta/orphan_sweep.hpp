// OrphanSweep: the safety net under log-driven freeing, on each blade.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/task.hpp"
#include "chunk/chunk_store.hpp"
#include "meta/partition_client.hpp"

namespace turbine::meta {

struct SweepOptions {
  Duration quarantine = std::chrono::hours(24);  // between disowned and freed
  Duration quarantine_short_of_space = std::chrono::minutes(10);
  uint32_t freed_percent_max = 1;  // of a blade's shards; more: stop and alert
  uint64_t freed_always_ok = 1000;
};

/// Asks the home partitions which of this blade's shards are nobody's and frees those that stay
/// disowned for the quarantine, by the word of the last walk too. Nothing is freed on a doubt: a
/// partition that does not answer keeps its shards. One reactor thread; store and client outlive
/// it.
class OrphanSweep {
 public:
  OrphanSweep(Clock& clock, chunk::ChunkStore& store, PartitionClient& client,
              SweepOptions options = {})
      : clock_(clock), store_(store), client_(client), options_(options) {}

  /// One walk over all shards. Errc::conflict: too many would go; nothing was freed. Errc::closed
  /// after stop().
  Task<> run_once(bool space_is_short);
  /// Ends the walk that is under way, and each later one.
  void stop() { stopped_ = true; }
  size_t quarantined() const { return suspects_.size(); }
  uint64_t freed() const { return freed_; }

 private:
  using Suspects = std::map<ShardId, TimePoint>;  // disowned since
  Task<> judge(std::vector<ShardId> shards, Suspects& seen);
  Task<> free_what_waited(bool space_is_short);

  Clock& clock_;
  chunk::ChunkStore& store_;
  PartitionClient& client_;
  SweepOptions options_;
  Suspects suspects_;
  std::vector<ShardId> disowned_;  // in the walk under way, in order
  uint64_t freed_ = 0;
  bool stopped_ = false;
};

}  // namespace turbine::meta
