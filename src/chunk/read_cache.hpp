// ReadCache: blocks of shards in memory. Shards never change, so nothing is ever invalidated but by
// free().
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <vector>

#include "base/buffer.hpp"
#include "base/ids.hpp"

namespace turbine::chunk {

/// Keeps verified 16 KiB blocks by shard, bounded in bytes, evicted by shard with one second chance
/// (CLOCK). Blocks that came in with one read share its storage, so a range within them is answered
/// without a copy.
class ReadCache {
 public:
  ReadCache(uint64_t bytes_max, uint32_t block_bytes)
      : bytes_max_(bytes_max), block_bytes_(block_bytes) {}

  /// The bytes [offset, offset + size) if all are here; an empty Buffer otherwise.
  Buffer find(ShardId shard, uint32_t offset, uint32_t size);
  /// `data` holds verified blocks from `offset` (a multiple of the block size) on.
  void insert(ShardId shard, uint32_t shard_bytes, uint32_t offset, const Buffer& data);
  void erase(ShardId shard);
  uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::vector<Buffer> blocks;
    uint64_t bytes = 0;
    bool referenced = false;
    std::list<ShardId>::iterator place;
  };
  void make_room();

  uint64_t bytes_max_;
  uint32_t block_bytes_;
  uint64_t bytes_ = 0;
  std::map<ShardId, Entry> entries_;
  std::list<ShardId> clock_;  // front is looked at next
};

}  // namespace turbine::chunk
