// What `turbine status` says: how the array is, what it can still lose, what to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster_map.hpp"
#include "proto/cluster.pb.h"

namespace turbine::admin {

struct BladeReport {
  uint32_t blade = 0;
  int64_t age_ms = 0;  // since it arrived
  proto::BladeHeartbeatRequest heartbeat;
};

enum class ArrayState { healthy, degraded, at_risk, unavailable };
std::string_view array_state_name(ArrayState state);

struct ArrayStatus {
  ArrayState state = ArrayState::healthy;
  uint32_t blades_total = 0, blades_alive = 0, blades_suspect = 0, blades_full = 0;
  uint32_t data_count = 0, parity_count = 0;  // the layout of new stripes; 0 + 0: none yet
  int data_tolerance = 0;                     // further blades that may be lost, bytes kept
  int metadata_tolerance = 0;    // same for names: least live replicas of a partition, less one
  uint32_t replicas_wanted = 0;  // of a partition, the most there are
  uint32_t partitions_total = 0;
  std::vector<uint32_t> partitions_unavailable;  // no replica lives
  uint32_t partitions_at_risk = 0;               // one lives, more are wanted
  uint32_t partitions_recruiting = 0;            // at least one lives, but fewer than wanted
  uint64_t capacity_bytes = 0, used_bytes = 0;   // raw
  uint64_t usable_bytes = 0;                     // capacity · k / (k + m)
  uint64_t object_count = 0, object_bytes = 0;
  uint64_t small_bytes = 0, striped_bytes = 0;  // of files ≥ 4 KiB
  uint64_t degraded_stripes = 0, lost_stripes = 0;
  proto::RepairStats repair;
  std::string advice;  // one sentence

  /// Share of the bytes of files ≥ 4 KiB that are in stripes; 1 when there are none.
  double striped_fraction() const;
};

/// Pure: the same map and reports give the same status.
ArrayStatus array_status(const cluster::ClusterMap& map, const std::vector<BladeReport>& reports);

std::string_view blade_state_name(proto::BladeState state);

}  // namespace turbine::admin
