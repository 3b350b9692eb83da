// ShardCache: shards and blocks of them in memory, least recently used out first.
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
  /// Of the blocks that small reads leave here: what a blade reads and checks at least.
  static constexpr uint32_t kBlockBytes = 16 * 1024;

  /// 0: keeps nothing.
  explicit ShardCache(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// The bytes [offset, offset + size), of the whole shard or of one block. Empty: not here.
  Buffer find(ShardId shard, uint32_t offset, uint32_t size);
  void add_whole(ShardId shard, Buffer data) { add({shard, kWhole}, std::move(data)); }
  /// `data` begins at `offset`, on a block's border, and ends within that block.
  void add_block(ShardId shard, uint32_t offset, Buffer data) {
    add({shard, offset / kBlockBytes}, std::move(data));
  }
  uint64_t bytes() const { return bytes_; }

 private:
  static constexpr uint32_t kWhole = UINT32_MAX;
  struct Key {
    ShardId shard;
    uint32_t block = kWhole;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const {
      return std::hash<ShardId>()(key.shard) * 31 + key.block;
    }
  };
  struct Entry {
    Key key;
    Buffer data;
  };
  Buffer find(Key key);
  void add(Key key, Buffer data);

  uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  std::list<Entry> entries_;  // front: used last
  std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> places_;
};

}  // namespace turbine::stripe
