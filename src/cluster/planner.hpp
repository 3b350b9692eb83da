// Pure plans: which blades hold what. The same input gives the same plan everywhere.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.hpp"
#include "proto/cluster.pb.h"

namespace turbine::cluster {

struct Shape {
  int data_count = 0;
  int parity_count = 0;
  int width() const { return data_count + parity_count; }
  bool operator==(const Shape&) const = default;
};

/// The layout for `blades` blades: 1+0, 1+1, 2+1, from 4 on min(n - 2, 8)+2.
Shape shape_for(int blades);

/// The preferred layout for these blades and its fallbacks (widths n - 1 and n - 2, at least 1;
/// none that repeats a wider one), with ids first_id, first_id + 1, … Of n ≥ 3 blades any two are
/// avoided by some group of one of the layouts, any one by some group of at most one blade less
/// than n. Every blade is in as many groups of a layout as any other, give or take one, and
/// stands in each shard position about as often.
std::vector<proto::Layout> plan_layouts(const std::vector<BladeId>& blades, uint32_t first_id,
                                        int groups_per_layout = 256);

/// The blade of each partition: rendezvous hashing, then balanced so that no blade has two more
/// than another.
std::vector<BladeId> plan_partitions(uint32_t partition_count, const std::vector<BladeId>& blades);

}  // namespace turbine::cluster
