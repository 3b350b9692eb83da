// ChunkStore: the shards of one blade, on its device's chunk area, indexed in its Kv.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/task.hpp"
#include "io/device.hpp"
#include "journal/journal.hpp"
#include "kv/kv.hpp"

namespace turbine::chunk {

/// What the index knows of a shard.
struct ShardInfo {
  ShardId shard;
  GroupId group;            // placement group the stripe was written to
  uint64_t generation = 0;  // 1 at first write, +1 when a repair writes it again
  uint32_t bytes = 0;       // multiple of 4096, ≤ 256 KiB
};

struct Options {
  uint64_t area_offset = 0;  // chunk area within the device
  uint64_t area_bytes = 0;
  uint64_t cache_bytes = uint64_t{128} << 20;  // DRAM read cache
  uint64_t reserve_bytes = 0;  // new shards (not repairs) are refused below this much free space
  uint64_t identity_seed = 0;
  bool skip_checksums_for_test = false;  // a planted fault: the simulator must find it
};

struct Capacity {
  uint64_t total_bytes = 0, used_bytes = 0, free_bytes = 0;
  uint64_t shard_count = 0;
};

struct Counters {
  uint64_t puts = 0, reads = 0, cache_hits = 0, frees = 0;
  uint64_t checksum_errors = 0, read_errors = 0;
};

/// Whether a shard that was just written is likely to be read soon. Parity is not.
enum class AfterPut : uint8_t { cache, forget };

/// Shards are written once, to fresh space, and never changed. One reactor thread. Checksums of
/// 16 KiB blocks live in the index record and are seeded with stripe, index, position and
/// generation, so that rotten, torn, lost and misdirected writes fail their first read.
class ChunkStore {
 public:
  virtual ~ChunkStore() = default;

  /// Rebuilds the allocator from the index. Call before journal replay; then feed replayed
  /// chunk_put and chunk_free records to replay(); then start().
  static Result<std::unique_ptr<ChunkStore>> open(Executor executor, io::Device& device, kv::Kv& kv,
                                                  Options options);
  virtual Task<> replay(const journal::Record& record, bool maybe_unflushed) = 0;
  virtual Result<> start(journal::Journal& journal) = 0;
  virtual Task<> stop() = 0;

  /// Stores the shard; durable on return. A shard that is there with the same generation and bytes:
  /// ok without a write, unless a read has found it damaged; with other bytes: Errc::conflict.
  /// Errc::no_space.
  virtual Task<> put(ShardInfo info, Buffer data, AfterPut after = AfterPut::cache) = 0;
  /// Any byte range of the shard, verified. Errc::not_found: no such shard here. Errc::corrupt or
  /// Errc::io: it is lost or damaged here; reconstruct and put() it again with generation + 1.
  virtual Task<Buffer> read(ShardId shard, uint32_t offset, uint32_t size) = 0;
  virtual std::optional<ShardInfo> find(ShardId shard) = 0;
  /// Frees shards that are here; others are ignored. Space is reused only when the free is durable
  /// and no reader holds the shard.
  virtual Task<> free(std::vector<ShardId> shards) = 0;
  /// Up to `count` shards after `after` in ShardId order.
  virtual std::vector<ShardInfo> list(std::optional<ShardId> after, size_t count) = 0;
  /// Reads and verifies one whole shard past the cache. Ok, corrupt, io, or not_found.
  virtual Task<> verify(ShardId shard) = 0;

  virtual Capacity capacity() const = 0;
  virtual Counters counters() const = 0;
  /// The oldest place in the journal that may hold a record of this store whose effect is not in
  /// the Kv yet; `end`, the journal's, when there is none. Recovery must not begin behind it.
  virtual journal::Position unapplied_from(journal::Position end) const = 0;
};

}  // namespace turbine::chunk
