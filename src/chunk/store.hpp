// The ChunkStore over a device, a journal and a Kv.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/async.hpp"
#include "chunk/allocator.hpp"
#include "chunk/chunk_store.hpp"
#include "chunk/read_cache.hpp"
#include "chunk/shard_index.hpp"

namespace turbine::chunk {

class Store final : public ChunkStore {
 public:
  Store(Executor executor, io::Device& device, kv::Kv& kv, Options options);
  ~Store() override;

  Result<> load();

  Task<> replay(const journal::Record& record, bool maybe_unflushed) override;
  Result<> start(journal::Journal& journal) override;
  Task<> stop() override;
  Task<> put(ShardInfo info, Buffer data, AfterPut after) override;
  Task<Buffer> read(ShardId shard, uint32_t offset, uint32_t size) override;
  std::optional<ShardInfo> find(ShardId shard) override;
  Task<> free(std::vector<ShardId> shards) override;
  std::vector<ShardInfo> list(std::optional<ShardId> after, size_t count) override;
  Task<> verify(ShardId shard) override;
  Capacity capacity() const override;
  Counters counters() const override { return counters_; }
  journal::Position unapplied_from(journal::Position end) const override;

 private:
  using ShardPtr = std::shared_ptr<Shard>;

  Task<> replay_put(const journal::Record& record, bool maybe_unflushed);
  Result<> replay_free(const journal::Record& record);
  /// Supersedes in the log the puts that replay dropped: their records look flushed from now on.
  Task<> settle_dropped();
  Task<> wait_until_settled();
  /// Makes the record durable, then its effect on the index. A failure is final.
  Task<> log_and_index(journal::Record record, io::WriteTicket ticket, kv::WriteBatch batch);
  Task<> log_put(const Shard& shard, io::WriteTicket ticket);
  Task<> log_free(proto::ChunkFreeRecord freed);
  Task<> put_new(ShardInfo info, Buffer data, AfterPut after);
  Task<> write_shard(ShardPtr shard, Buffer data, AfterPut after);
  /// Ok: `info` is stored already. not_found: to be written.
  Result<> compare_with_stored(const ShardInfo& info, const Buffer& data) const;
  Task<> prepare_slabs(uint64_t offset, uint64_t bytes);
  Task<> prepare_slab(uint64_t slab);
  Task<> prepare_ahead(uint64_t slab);
  /// Blocks [first, first + blocks) from the device, verified.
  Task<Buffer> read_blocks(ShardPtr shard, uint32_t first, uint32_t blocks);
  void drop(ShardId shard);
  ShardPtr lookup(ShardId shard) const;

  Executor executor_;
  io::Device& device_;
  kv::Kv& kv_;
  journal::Journal* journal_ = nullptr;  // null until start()
  Options options_;
  std::shared_ptr<Allocator> allocator_;
  std::map<ShardId, ShardPtr> shards_;
  ReadCache cache_;
  enum class SlabState : uint8_t { unprepared, preparing, prepared };
  std::vector<SlabState> slabs_;
  Event slab_ended_;
  std::set<ShardId> putting_;
  Event put_ended_;
  std::vector<ShardId> dropped_;  // by replay
  bool settled_ = false;
  Event settle_ended_;
  std::multiset<journal::Position> unapplied_;  // records on their way, at or before these
  Result<> health_;                             // the first failure to write, for good
  uint64_t used_bytes_ = 0;
  Counters counters_;
  Gate gate_;
};

}  // namespace turbine::chunk
