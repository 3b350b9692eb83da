#include "chunk/chunk_service.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "chunk/shard_index.hpp"
#include "proto/rpc.pb.h"

namespace turbine::chunk {
namespace {

constexpr uint32_t kListCountMax = 4096;

void fill(const ShardInfo& info, proto::ShardRecord* record) {
  to_ref(info.shard, record->mutable_shard());
  record->set_group(info.group.value);
  record->set_generation(info.generation);
  record->set_bytes(info.bytes);
}

}  // namespace

void ChunkService::register_on(rpc::Dispatcher& dispatcher) {
  dispatcher.on<proto::PutShardRequest, proto::PutShardReply>(
      proto::PUT_SHARD, [this](proto::PutShardRequest request, rpc::CallInfo info) {
        return put(std::move(request), std::move(info));
      });
  dispatcher.on<proto::ReadShardRequest, proto::ReadShardReply>(
      proto::READ_SHARD, [this](proto::ReadShardRequest request, rpc::CallInfo info) {
        return read(std::move(request), std::move(info));
      });
  dispatcher.on<proto::FreeShardsRequest, proto::FreeShardsReply>(
      proto::FREE_SHARDS, [this](proto::FreeShardsRequest request, rpc::CallInfo info) {
        return free(std::move(request), std::move(info));
      });
  dispatcher.on<proto::ListShardsRequest, proto::ListShardsReply>(
      proto::LIST_SHARDS, [this](proto::ListShardsRequest request, rpc::CallInfo info) {
        return list(std::move(request), std::move(info));
      });
  dispatcher.on<proto::StatShardRequest, proto::StatShardReply>(
      proto::STAT_SHARD, [this](proto::StatShardRequest request, rpc::CallInfo info) {
        return stat(std::move(request), std::move(info));
      });
}

ChunkService::Answer<proto::PutShardReply> ChunkService::put(proto::PutShardRequest request,
                                                             rpc::CallInfo info) {
  const cluster::MapPtr map = map_.get();
  AfterPut after = AfterPut::cache;
  if (map != nullptr) {
    const cluster::GroupView* group = map->group(GroupId(request.group()));
    if (group != nullptr && request.shard().index() >= static_cast<uint32_t>(group->data_count)) {
      after = AfterPut::forget;
    }
    if (group != nullptr && request.group_version() < group->version) {
      co_return fail(Errc::stale_epoch, "placement group {} has version {}, not {}",
                     request.group(), group->version, request.group_version());
    }
  }
  if (request.shard().index() > UINT8_MAX) {
    co_return fail(Errc::invalid, "shard index {}", request.shard().index());
  }
  if (request.checksum() != 0 && hash64(info.payload.view()) != request.checksum()) {
    co_return fail(Errc::corrupt, "shard {} was damaged on its way", from_ref(request.shard()));
  }
  const ShardInfo shard{from_ref(request.shard()), GroupId(request.group()), request.generation(),
                        static_cast<uint32_t>(info.payload.size())};
  CO_TRY(co_await store_.put(shard, std::move(info.payload), after));
  co_return rpc::With<proto::PutShardReply>{};
}

ChunkService::Answer<proto::ReadShardReply> ChunkService::read(proto::ReadShardRequest request,
                                                               rpc::CallInfo) {
  const ShardId shard = from_ref(request.shard());
  rpc::With<proto::ReadShardReply> reply;
  reply.payload = CO_TRY(co_await store_.read(shard, request.offset(), request.size()));
  if (const auto found = store_.find(shard)) reply.body.set_generation(found->generation);
  co_return reply;
}

ChunkService::Answer<proto::FreeShardsReply> ChunkService::free(proto::FreeShardsRequest request,
                                                                rpc::CallInfo) {
  std::vector<ShardId> shards;
  for (const auto& ref : request.shards()) shards.push_back(from_ref(ref));
  CO_TRY(co_await store_.free(std::move(shards)));
  co_return rpc::With<proto::FreeShardsReply>{};
}

ChunkService::Answer<proto::ListShardsReply> ChunkService::list(proto::ListShardsRequest request,
                                                                rpc::CallInfo) {
  rpc::With<proto::ListShardsReply> reply;
  const uint32_t count = std::clamp<uint32_t>(request.count(), 1, kListCountMax);
  std::optional<ShardId> after;
  if (!request.from_start()) after = from_ref(request.after());
  const std::vector<ShardInfo> found = store_.list(after, count);
  for (const ShardInfo& info : found) fill(info, reply.body.add_shards());
  reply.body.set_more(found.size() == count);
  co_return reply;
}

ChunkService::Answer<proto::StatShardReply> ChunkService::stat(proto::StatShardRequest request,
                                                               rpc::CallInfo) {
  rpc::With<proto::StatShardReply> reply;
  for (const auto& ref : request.shards()) {
    const std::optional<ShardInfo> found = store_.find(from_ref(ref));
    if (!found.has_value()) continue;
    if (request.verify() && !(co_await store_.verify(found->shard)).ok()) continue;
    fill(*found, reply.body.add_shards());
  }
  co_return reply;
}

}  // namespace turbine::chunk
