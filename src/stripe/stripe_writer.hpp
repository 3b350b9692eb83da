// The StripeWriter of gateways and blades.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "cluster/cluster_map.hpp"
#include "stripe/stripe.hpp"

namespace turbine::stripe {

/// Bytes of each shard of a stripe that holds `data_bytes` in `data_count` data shards.
uint32_t shard_bytes_for(uint64_t data_bytes, int data_count);

struct StripeWriterOptions {
  int attempts_max = 6;
  /// How long a blade that failed a shard is left out of new stripes.
  Duration avoid_for = std::chrono::seconds(2);
  Duration map_wait = std::chrono::milliseconds(50);  // before a retry after stale_epoch
};

/// Writes stripes to the groups that the newest map offers. One reactor thread; all references
/// outlive it and its calls.
class GroupStripeWriter final : public StripeWriter {
 public:
  GroupStripeWriter(Clock& clock, ShardIo& io, cluster::MapHolder& map, StripeIdSource& ids,
                    StripeWriterOptions options = {})
      : clock_(clock), io_(io), map_(map), ids_(ids), options_(options) {}

  Task<proto::NewStripe> write(PartitionId home, std::vector<Buffer> data) override;
  Task<> discard(proto::NewStripe stripe) override;
  uint32_t stripe_bytes_max() const override;

  struct Counters {
    uint64_t stripes = 0;   // returned
    uint64_t given_up = 0;  // written in part and abandoned
    uint64_t data_bytes = 0;
    uint64_t copied_bytes = 0;  // of data_bytes
  };
  const Counters& counters() const { return counters_; }

 private:
  struct Attempt {
    cluster::MapPtr map;  // holds `group`
    const cluster::GroupView* group = nullptr;
    StripeId id;
    bool last_resort = false;  // `group` has blades that were to be avoided
    uint32_t shard_bytes = 0;
    std::vector<Buffer> shards;
  };
  std::vector<BladeId> avoided() const;
  const cluster::GroupView* choose_group(const cluster::ClusterMap& map, uint64_t pick,
                                         bool* last_resort) const;
  Result<Attempt> choose(StripeId id, uint64_t data_bytes) const;
  std::vector<Buffer> make_shards(const std::vector<Buffer>& data, const cluster::GroupView& group,
                                  uint32_t shard_bytes);
  Task<bool> put_all(Attempt attempt);
  void note_failure(BladeId blade, Errc code);

  Clock& clock_;
  ShardIo& io_;
  cluster::MapHolder& map_;
  StripeIdSource& ids_;
  StripeWriterOptions options_;
  std::map<BladeId, TimePoint> avoid_until_;
  TimePoint no_space_until_{};
  Counters counters_;
};

}  // namespace turbine::stripe
