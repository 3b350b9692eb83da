// BladeShardIo: the shards of all blades as one of them reaches them: its own without a message.
#pragma once

#include <vector>

#include "chunk/chunk_store.hpp"
#include "stripe/shard_io_rpc.hpp"

namespace turbine::bladed {

/// One reactor thread; `own` and `others` outlive it and its calls.
class BladeShardIo final : public stripe::ShardIo {
 public:
  BladeShardIo(BladeId self, chunk::ChunkStore& own, stripe::ShardIo& others)
      : self_(self), own_(own), others_(others) {}

  Task<> put(BladeId blade, ShardId shard, GroupId group, uint64_t group_version,
             uint64_t generation, Buffer data) override;
  Task<Buffer> read(BladeId blade, ShardId shard, uint32_t offset, uint32_t size) override;
  Task<> free(BladeId blade, std::vector<ShardId> shards) override;
  bool alive(BladeId blade) const override { return others_.alive(blade); }

 private:
  const BladeId self_;
  chunk::ChunkStore& own_;
  stripe::ShardIo& others_;
};

}  // namespace turbine::bladed
