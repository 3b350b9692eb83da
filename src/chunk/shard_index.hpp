// What the index holds of each shard: its record in the Kv and in memory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "chunk/allocator.hpp"
#include "chunk/chunk_store.hpp"
#include "proto/chunk.pb.h"

namespace turbine::chunk {

inline constexpr uint32_t kBlockBytes = 16 * 1024;
inline constexpr uint32_t kShardBytesMax = 256 * 1024;

/// A run of the area that belongs to a shard. Goes back to the allocator with its last holder, so
/// that space is not reused while a reader is on it.
class Extent {
 public:
  Extent(std::shared_ptr<Allocator> allocator, uint64_t offset, uint32_t bytes)
      : allocator_(std::move(allocator)), offset_(offset), bytes_(bytes) {}
  ~Extent() {
    if (allocator_ != nullptr) allocator_->release(offset_, bytes_);
  }
  Extent(const Extent&) = delete;
  Extent& operator=(const Extent&) = delete;
  uint64_t offset() const { return offset_; }

 private:
  std::shared_ptr<Allocator> allocator_;
  uint64_t offset_;
  uint32_t bytes_;
};

/// A shard as the store knows it.
struct Shard {
  ShardInfo info;
  uint64_t offset = 0;  // in the area
  std::vector<uint64_t> checksums;
  std::shared_ptr<Extent> extent;  // null until the allocator was built
  bool damaged = false;            // a read of it failed since the start
};

/// Key of a shard in the Kv: slot 0, kind 'c', stripe, index; and the bounds of all of them.
std::string shard_key(ShardId shard);
std::string first_shard_key();
std::string end_shard_key();
Result<ShardId> parse_shard_key(std::string_view key);

proto::ShardIndexRecord to_record(const Shard& shard);
/// Errc::corrupt when the record contradicts itself.
Result<Shard> from_record(ShardId id, const proto::ShardIndexRecord& record);

inline ShardId from_ref(const proto::ShardRef& ref) {
  return {StripeId(ref.stripe()), static_cast<uint8_t>(ref.index())};
}
inline void to_ref(ShardId shard, proto::ShardRef* ref) {
  ref->set_stripe(shard.stripe.value);
  ref->set_index(shard.index);
}

/// Checksum of block `block` of a shard: XXH3 seeded with the shard's whole identity.
uint64_t block_checksum(const ShardInfo& info, uint32_t block, uint64_t identity_seed,
                        ByteView bytes);
std::vector<uint64_t> block_checksums(const ShardInfo& info, uint64_t identity_seed,
                                      ByteView bytes);

}  // namespace turbine::chunk
