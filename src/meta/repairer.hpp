// Repairer: puts lost shards of the stripes at home on this blade back where they belong.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "meta/partition_host.hpp"
#include "proto/cluster.pb.h"

namespace turbine::meta {

/// Hears of losses from readers and scrubbers (REPORT_LOST_SHARDS) and finds others by a census:
/// at its own start every blade, later each that came back, is asked for all shards it should hold.
/// The queue is in memory; what it forgets, the next read, scrub or census finds again.
class Repairer {
 public:
  explicit Repairer(PartitionHost& host) : host_(host) {}

  void report(StripeId stripe, const std::set<uint32_t>& indexes);
  /// Notes which blades must be asked: those whose session is new to this process.
  void on_map(const cluster::ClusterMap& map);
  /// And all of them for a partition that is led from here now: what its earlier primary had still
  /// to repair is not known.
  void on_led(PartitionId partition);
  /// One round: repairs some stripes, asks a blade if one came back.
  Task<> run_once();
  /// Asks the blade for all shards it should hold of stripes at home here.
  Task<> census(BladeId blade);

  size_t waiting() const { return queue_.size(); }
  uint64_t lost_stripes() const { return lost_.size(); }

 private:
  struct Item {
    std::set<uint32_t> indexes;
    TimePoint not_before{};
    int tries = 0;
  };
  Task<> repair(StripeId id, Item item);
  Task<> take_due_censuses();
  Task<> census_of(PartitionPtr partition, BladeId blade);
  Task<> ask(BladeId blade, std::vector<ShardId> expected);
  void again(StripeId id, Item item);

  PartitionHost& host_;
  std::map<StripeId, Item> queue_;
  std::set<StripeId> lost_;
  std::map<BladeId, uint64_t> blade_sessions_;
  std::set<std::pair<PartitionId, BladeId>> census_due_;
};

}  // namespace turbine::meta
