// The cluster map as the processes use it: immutable, indexed, replaced as a whole.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "proto/cluster.pb.h"

namespace turbine::cluster {

inline constexpr int kLayoutShift = 20;
inline GroupId make_group_id(uint32_t layout, uint32_t index) {
  return GroupId((layout << kLayoutShift) | index);
}

/// A placement group with what a reader or writer needs of its layout.
struct GroupView {
  GroupId id;
  int data_count = 0, parity_count = 0;
  uint64_t version = 0;
  std::vector<BladeId> blades;  // shard i on blades[i]
};

class ClusterMap {
 public:
  explicit ClusterMap(proto::ClusterMap record);

  const proto::ClusterMap& record() const { return record_; }
  Epoch epoch() const { return Epoch(record_.epoch()); }
  uint32_t partition_count() const { return static_cast<uint32_t>(record_.partitions_size()); }
  /// The blade that serves the partition; BladeId(0) when none.
  BladeId primary(PartitionId partition) const;
  /// Null when there is none.
  const proto::Partition* partition(PartitionId id) const;
  /// In sync: holds every acknowledged entry of the partition.
  bool is_replica(PartitionId id, BladeId blade) const;
  /// How many replicas in sync are on blades that are alive; 0 for an unknown partition.
  size_t live_replicas(PartitionId id) const;
  const proto::Blade* blade(BladeId id) const;
  /// Serving: healthy, suspect, draining or joining.
  bool alive(BladeId id) const;
  size_t alive_count() const;
  const GroupView* group(GroupId id) const;
  /// The preferred layout; null before the first was planned.
  const proto::Layout* preferred_layout() const;
  /// A group for a new stripe: the widest layout that has a group without `avoid` and without dead
  /// or full blades; `pick` spreads. Null when there is none.
  const GroupView* choose_group(uint64_t pick, const std::vector<BladeId>& avoid) const;
  /// No new stripe can be written, and full blades are among the reasons.
  bool full() const;
  const proto::AccessKey* access_key(const std::string& id) const;
  const proto::User* user(uint64_t id) const;
  /// The partition of a directory whose parent and name are these.
  PartitionId partition_for(InodeId parent, std::string_view name) const;

 private:
  proto::ClusterMap record_;
  std::unordered_map<uint32_t, GroupView> groups_;
  std::unordered_map<std::string, int> keys_;
  std::unordered_map<uint32_t, int> blades_;
  std::vector<int> by_width_;  // indexes of layouts: preferred first, then widest first
};

using MapPtr = std::shared_ptr<const ClusterMap>;

/// Where a process keeps the newest map it has seen. One reactor thread.
class MapHolder {
 public:
  MapPtr get() const { return map_; }
  /// Ignored when not newer. Calls the observers.
  void update(proto::ClusterMap record);
  void observe(std::function<void(const MapPtr&)> observer) {
    observers_.push_back(std::move(observer));
  }

 private:
  MapPtr map_;
  std::vector<std::function<void(const MapPtr&)>> observers_;
};

}  // namespace turbine::cluster
