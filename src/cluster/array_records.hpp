// The records of an array in its cluster store: their keys, and what they hold.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "cluster/cluster_store.hpp"
#include "proto/cluster.pb.h"

namespace turbine::cluster {

inline constexpr const char* kMapKey = "array/map";            // proto::ClusterMap
inline constexpr const char* kCountersKey = "array/counters";  // proto::ArrayCounters
/// Of several managers the one that leads; lives as long as its lease.
inline constexpr const char* kLeaderKey = "leader";

struct ArrayRecords {
  proto::ClusterMap map;
  proto::ArrayCounters counters;
};

/// Errc::corrupt when one is missing or does not parse.
inline Result<ArrayRecords> parse_array_records(const std::vector<StoreRecord>& records) {
  ArrayRecords array;
  const auto map = std::ranges::find(records, kMapKey, &StoreRecord::key);
  const auto counters = std::ranges::find(records, kCountersKey, &StoreRecord::key);
  if (map == records.end() || counters == records.end() || !array.map.ParseFromString(map->value) ||
      !array.counters.ParseFromString(counters->value)) {
    return fail(Errc::corrupt, "the records {} and {} are not both there and sound", kMapKey,
                kCountersKey);
  }
  return array;
}

}  // namespace turbine::cluster
