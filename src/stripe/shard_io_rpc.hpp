// ShardIo over messages: the chunk services of the blades that the cluster map names.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "cluster/cluster_map.hpp"
#include "rpc/rpc.hpp"
#include "stripe/stripe.hpp"

namespace turbine::stripe {

struct ShardIoOptions {
  Duration write_patience = std::chrono::seconds(1);
  Duration read_patience = std::chrono::milliseconds(500);
};

/// One per process and reactor; `clock`, `transport` and `map` outlive it and its calls. A shard
/// that has not come within read_patience fails with Errc::timeout; its reader takes it as missing.
class RpcShardIo final : public ShardIo {
 public:
  RpcShardIo(Clock& clock, rpc::Transport& transport, cluster::MapHolder& map,
             ShardIoOptions options = {})
      : clock_(clock), transport_(transport), map_(map), options_(options) {}

  Task<> put(BladeId blade, ShardId shard, GroupId group, uint64_t group_version,
             uint64_t generation, Buffer data) override;
  Task<Buffer> read(BladeId blade, ShardId shard, uint32_t offset, uint32_t size) override;
  Task<> free(BladeId blade, std::vector<ShardId> shards) override;
  bool alive(BladeId blade) const override;

 private:
  Result<std::shared_ptr<rpc::Channel>> channel(BladeId blade);

  Clock& clock_;
  rpc::Transport& transport_;
  cluster::MapHolder& map_;
  ShardIoOptions options_;
  std::map<BladeId, std::shared_ptr<rpc::Channel>> channels_;
};

}  // namespace turbine::stripe
