// ShardCache: whole shards in memory, least recently used out first.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "base/buffer.hpp"
#include "base/ids.hpp"

namespace turbine::stripe {

/// Shards never change and their ids are used once, so a cached shard can't be wrong; a freed one
/// is never asked for again and ages out. One thread.
class ShardCache {
 public:
  /// 0: keeps nothing.
  explicit ShardCache(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// Empty when it is not here.
  Buffer find(ShardId shard);
  void add(ShardId shard, Buffer data);
  uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    ShardId shard;
    Buffer data;
  };
  uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  std::list<Entry> entries_;  // front: used last
  std::unordered_map<ShardId, std::list<Entry>::iterator> places_;
};

}  // namespace turbine::stripe
