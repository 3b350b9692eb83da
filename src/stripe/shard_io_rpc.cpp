#include "stripe/shard_io_rpc.hpp"

#include <utility>

#include "proto/chunk.pb.h"
#include "proto/rpc.pb.h"
#include "rpc/typed.hpp"

namespace turbine::stripe {
namespace {

void fill(proto::ShardRef& ref, ShardId shard) {
  ref.set_stripe(shard.stripe.value);
  ref.set_index(shard.index);
}

}  // namespace

Result<std::shared_ptr<rpc::Channel>> RpcShardIo::channel(BladeId id) {
  const cluster::MapPtr map = map_.get();
  const proto::Blade* blade = map ? map->blade(id) : nullptr;
  if (blade == nullptr) return fail(Errc::unavailable, "blade {} is not in the map", id);
  auto& held = channels_[id];
  if (!held || held->address() != blade->address()) held = transport_.channel(blade->address());
  return held;
}

bool RpcShardIo::alive(BladeId blade) const {
  const cluster::MapPtr map = map_.get();
  return map && map->alive(blade);
}

Task<> RpcShardIo::put(BladeId blade, ShardId shard, GroupId group, uint64_t group_version,
                       uint64_t generation, Buffer data) {
  auto way = CO_TRY(channel(blade));
  proto::PutShardRequest request;
  fill(*request.mutable_shard(), shard);
  request.set_group(group.value);
  request.set_group_version(group_version);
  request.set_generation(generation);
  const TimePoint deadline = clock_.now() + options_.write_patience;
  CO_TRY(co_await rpc::call<proto::PutShardReply>(
      std::move(way), proto::PUT_SHARD, std::move(request), std::move(data),
      {.deadline = deadline, .epoch = map_.get()->epoch()}));
  co_return Result<>{};
}

Task<Buffer> RpcShardIo::read(BladeId blade, ShardId shard, uint32_t offset, uint32_t size) {
  auto way = CO_TRY(channel(blade));
  proto::ReadShardRequest request;
  fill(*request.mutable_shard(), shard);
  request.set_offset(offset);
  request.set_size(size);
  const TimePoint deadline = clock_.now() + options_.read_patience;
  auto reply = CO_TRY(co_await rpc::call<proto::ReadShardReply>(
      std::move(way), proto::READ_SHARD, std::move(request), {},
      {.deadline = deadline, .epoch = map_.get()->epoch()}));
  if (reply.payload.size() != size) {
    co_return fail(Errc::corrupt, "shard {} from blade {}: {} bytes instead of {}", shard, blade,
                   reply.payload.size(), size);
  }
  co_return std::move(reply.payload);
}

Task<> RpcShardIo::free(BladeId blade, std::vector<ShardId> shards) {
  auto way = CO_TRY(channel(blade));
  proto::FreeShardsRequest request;
  for (const ShardId shard : shards) fill(*request.add_shards(), shard);
  const TimePoint deadline = clock_.now() + options_.write_patience;
  CO_TRY(co_await rpc::call<proto::FreeShardsReply>(
      std::move(way), proto::FREE_SHARDS, std::move(request), {},
      {.deadline = deadline, .epoch = map_.get()->epoch()}));
  co_return Result<>{};
}

}  // namespace turbine::stripe
