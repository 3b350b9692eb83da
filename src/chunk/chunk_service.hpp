// ChunkService: the chunk store of a blade as other processes see it.
#pragma once

#include "chunk/chunk_store.hpp"
#include "cluster/cluster_map.hpp"
#include "proto/chunk.pb.h"
#include "rpc/typed.hpp"

namespace turbine::chunk {

/// Answers PUT_SHARD, READ_SHARD, FREE_SHARDS, LIST_SHARDS and STAT_SHARD. A put for a placement
/// group is refused with Errc::stale_epoch when the blade's map has a newer version of the group.
/// An answered put is durable. Store and map outlive the service and the dispatcher's listener.
class ChunkService {
 public:
  ChunkService(ChunkStore& store, const cluster::MapHolder& map) : store_(store), map_(map) {}
  void register_on(rpc::Dispatcher& dispatcher);

 private:
  template <class Body>
  using Answer = Task<rpc::With<Body>>;
  Answer<proto::PutShardReply> put(proto::PutShardRequest request, rpc::CallInfo info);
  Answer<proto::ReadShardReply> read(proto::ReadShardRequest request, rpc::CallInfo info);
  Answer<proto::FreeShardsReply> free(proto::FreeShardsRequest request, rpc::CallInfo info);
  Answer<proto::ListShardsReply> list(proto::ListShardsRequest request, rpc::CallInfo info);
  Answer<proto::StatShardReply> stat(proto::StatShardRequest request, rpc::CallInfo info);

  ChunkStore& store_;
  const cluster::MapHolder& map_;
};

}  // namespace turbine::chunk
