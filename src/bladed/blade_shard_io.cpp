#include "bladed/blade_shard_io.hpp"

namespace turbine::bladed {

Task<> BladeShardIo::put(BladeId blade, ShardId shard, GroupId group, uint64_t group_version,
                         uint64_t generation, Buffer data) {
  if (blade != self_) {
    return others_.put(blade, shard, group, group_version, generation, std::move(data));
  }
  chunk::ShardInfo info;
  info.shard = shard;
  info.group = group;
  info.generation = generation;
  info.bytes = static_cast<uint32_t>(data.size());
  return own_.put(info, std::move(data));
}

Task<Buffer> BladeShardIo::read(BladeId blade, ShardId shard, uint32_t offset, uint32_t size) {
  if (blade != self_) return others_.read(blade, shard, offset, size);
  return own_.read(shard, offset, size);
}

Task<> BladeShardIo::free(BladeId blade, std::vector<ShardId> shards) {
  if (blade != self_) return others_.free(blade, std::move(shards));
  return own_.free(std::move(shards));
}

}  // namespace turbine::bladed
