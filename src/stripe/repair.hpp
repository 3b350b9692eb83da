// Putting lost shards of a stripe back on the blades where they belong.
#pragma once

#include <cstdint>
#include <vector>

#include "base/task.hpp"
#include "cluster/cluster_map.hpp"
#include "proto/meta.pb.h"
#include "stripe/stripe.hpp"

namespace turbine::stripe {

struct RepairOutcome {
  std::vector<uint32_t> repaired;     // written again and durable
  std::vector<uint32_t> unreachable;  // on blades that are dead or did not answer: not judged
  uint64_t generation = 0;            // the stripe's from now on; to be recorded by its home
};

/// Reads the shards `suspects` (empty: all) in whole, computes those that are absent or damaged
/// from the others, and puts them under a higher generation. A stripe whose blades are gone for
/// good is not mended here: it is written again elsewhere. Errc::unavailable: too few shards could
/// be read now; Errc::io: too few are left; Errc::no_space. `io` outlives the call; `group` is the
/// stripe's as the map has it.
Task<RepairOutcome> repair_stripe(proto::Stripe stripe, cluster::GroupView group, ShardIo& io,
                                  std::vector<uint32_t> suspects);

}  // namespace turbine::stripe
