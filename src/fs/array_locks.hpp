// The Locks of gateways: over the partitions of an array.
#pragma once

#include <chrono>
#include <memory>

#include "cluster/cluster_map.hpp"
#include "fs/locks.hpp"
#include "meta/partition_client.hpp"
#include "rpc/rpc.hpp"

namespace turbine::fs {

struct LocksOptions {
  Duration budget = std::chrono::seconds(25);  // of a call; NLM has no word for "not now"
  Duration wait = std::chrono::seconds(2);     // of wait()
  size_t release_parallel = 32;                // partitions asked at once
  meta::PartitionClientOptions partitions;
};

/// `session`: the gateway's. Clock, transport and map outlive it; calls in flight don't need it.
std::unique_ptr<Locks> make_array_locks(Clock& clock, rpc::Transport& transport,
                                        cluster::MapHolder& map, SessionId session,
                                        LocksOptions options = {});

}  // namespace turbine::fs
