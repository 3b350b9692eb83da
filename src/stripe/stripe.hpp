// Striping: file bytes to k + m shards on the blades of a placement group, and back.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/buffer.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/task.hpp"
#include "proto/meta.pb.h"

namespace turbine::stripe {

inline constexpr uint32_t kShardBytesMax = 256 * 1024;
inline constexpr uint32_t kShardUnit = 4096;

/// How shards reach a blade's chunk service. Real: RPC; tests: in memory.
class ShardIo {
 public:
  virtual ~ShardIo() = default;
  virtual Task<> put(BladeId blade, ShardId shard, GroupId group, uint64_t group_version,
                     uint64_t generation, Buffer data) = 0;
  virtual Task<Buffer> read(BladeId blade, ShardId shard, uint32_t offset, uint32_t size) = 0;
  virtual Task<> free(BladeId blade, std::vector<ShardId> shards) = 0;
  /// False while the map says that the blade is dead.
  virtual bool alive(BladeId blade) const = 0;
};

/// Fresh stripe ids. On a gateway: out of ranges leased from the home partition
/// (LEASE_STRIPE_IDS); on a blade: leased from its own partitions directly.
class StripeIdSource {
 public:
  virtual ~StripeIdSource() = default;
  virtual Task<StripeId> next(PartitionId home) = 0;
};

/// Writes whole stripes. A stripe is whole or it is not referenced: when a blade of the group can't
/// take its shard, the stripe is written again under a fresh id to a group (if need be of a
/// narrower layout) that avoids it.
class StripeWriter {
 public:
  virtual ~StripeWriter() = default;
  /// `data`: 1 … stripe_bytes_max() bytes, as buffers one after another. Returns the stripe to be
  /// committed in partition `home`; every shard is durable. Errc::no_space, Errc::unavailable;
  /// Errc::too_large: blades failed and the layouts left have stripes of fewer bytes. Most callers
  /// want write_stripes().
  virtual Task<proto::NewStripe> write(PartitionId home, std::vector<Buffer> data) = 0;
  /// Frees the shards of a stripe that was written but will not be committed. Best effort.
  virtual Task<> discard(proto::NewStripe) { co_return Result<>{}; }
  /// Of the widest layout that has a group now; changes with the blades' health.
  virtual uint32_t stripe_bytes_max() const = 0;
};

/// Writes any number of bytes (> 0) as stripes one after another, as full as the layouts at hand
/// allow, and splits again when blades fail meanwhile. Their data_bytes add up to the data's.
/// `writer` outlives the call.
Task<std::vector<proto::NewStripe>> write_stripes(StripeWriter& writer, PartitionId home,
                                                  std::vector<Buffer> data);

/// Reads extents, around missing and damaged shards.
class StripeReader {
 public:
  virtual ~StripeReader() = default;
  /// The bytes [skip, skip + length) of `extent`. A healthy read touches the blades that hold the
  /// range only; a missing shard is reconstructed from k others and reported for repair.
  /// Errc::not_found: the stripe's shards are gone (the extent may be stale: look it up again).
  virtual Task<std::vector<Buffer>> read(proto::Extent extent, uint64_t skip, uint64_t length) = 0;
  /// Waits for reads that were overtaken by a reconstruction and still run. Call before
  /// destruction.
  virtual Task<> stop() { co_return Result<>{}; }
};

}  // namespace turbine::stripe
