#include "chunk/store.hpp"

#include <algorithm>
#include <cstring>

#include "base/log.hpp"

namespace turbine::chunk {
namespace {

constexpr uint64_t kSlabBytes = uint64_t{64} << 20;

}  // namespace

Result<std::unique_ptr<ChunkStore>> ChunkStore::open(Executor executor, io::Device& device,
                                                     kv::Kv& kv, Options options) {
  auto store = std::make_unique<Store>(executor, device, kv, options);
  TRY(store->load());
  return std::unique_ptr<ChunkStore>(std::move(store));
}

Store::Store(Executor executor, io::Device& device, kv::Kv& kv, Options options)
    : executor_(executor),
      device_(device),
      kv_(kv),
      options_(options),
      allocator_(std::make_shared<Allocator>(options.area_bytes)),
      cache_(options.cache_bytes, kBlockBytes),
      slab_prepared_((options.area_bytes + kSlabBytes - 1) / kSlabBytes, 0),
      put_ended_(executor),
      gate_(executor) {}

Store::~Store() = default;

Result<> Store::load() {
  const auto iterator = kv_.scan(first_shard_key(), end_shard_key());
  for (; iterator->valid(); iterator->next()) {
    const ShardId id = TRY(parse_shard_key(iterator->key()));
    proto::ShardIndexRecord record;
    if (!record.ParseFromArray(iterator->value().data(),
                               static_cast<int>(iterator->value().size()))) {
      return fail(Errc::corrupt, "index record of shard {} does not parse", id);
    }
    shards_[id] = std::make_shared<Shard>(TRY(from_record(id, record)));
  }
  return iterator->status();
}

Task<> Store::replay(const journal::Record& record, bool maybe_unflushed) {
  if (record.type == journal::RecordType::chunk_put) {
    co_return co_await replay_put(record, maybe_unflushed);
  }
  if (record.type == journal::RecordType::chunk_free) co_return replay_free(record);
  co_return Result<>{};
}

// A record of the last batch may be there without the bytes it names: power failed before the flush
// that covers both. Such a shard was not acknowledged, and is dropped.
Task<> Store::replay_put(const journal::Record& record, bool maybe_unflushed) {
  proto::ChunkPutRecord put;
  if (!put.ParseFromString(record.payload)) {
    co_return fail(Errc::corrupt, "a chunk_put record of the journal does not parse");
  }
  const ShardId id = from_ref(put.shard());
  auto shard = std::make_shared<Shard>(CO_TRY(from_record(id, put.index())));
  if (shard->offset + shard->info.bytes > options_.area_bytes) {
    co_return fail(Errc::corrupt, "shard {} lies outside the chunk area", id);
  }
  if (maybe_unflushed) {
    const auto blocks = static_cast<uint32_t>(shard->checksums.size());
    const Result<Buffer> bytes = co_await read_blocks(shard, 0, blocks);
    if (!bytes.ok()) {
      log::info("shard {} was being written when the blade stopped; dropped", id);
      co_return Result<>{};
    }
  }
  kv::WriteBatch batch;
  batch.put(shard_key(id), to_record(*shard).SerializeAsString());
  CO_TRY(kv_.write(std::move(batch)));
  shards_[id] = std::move(shard);
  co_return Result<>{};
}

Result<> Store::replay_free(const journal::Record& record) {
  proto::ChunkFreeRecord freed;
  if (!freed.ParseFromString(record.payload)) {
    return fail(Errc::corrupt, "a chunk_free record of the journal does not parse");
  }
  kv::WriteBatch batch;
  for (const auto& ref : freed.shards()) {
    batch.remove(shard_key(from_ref(ref)));
    shards_.erase(from_ref(ref));
  }
  return kv_.write(std::move(batch));
}

Result<> Store::start(journal::Journal& journal) {
  for (auto& [id, shard] : shards_) {
    if (!allocator_->reserve(shard->offset, shard->info.bytes)) {
      return fail(Errc::corrupt,
                  "shard {} claims space at {} that is outside the area or another shard's", id,
                  shard->offset);
    }
    shard->extent = std::make_shared<Extent>(allocator_, shard->offset, shard->info.bytes);
    used_bytes_ += shard->info.bytes;
  }
  journal_ = &journal;
  return {};
}

Task<> Store::stop() {
  co_return co_await gate_.close();
}

Store::ShardPtr Store::lookup(ShardId shard) const {
  const auto found = shards_.find(shard);
  return found == shards_.end() ? nullptr : found->second;
}

Result<> Store::compare_with_stored(const ShardInfo& info, const Buffer& data) const {
  const ShardPtr stored = lookup(info.shard);
  if (stored == nullptr || stored->info.generation < info.generation) {
    return fail(Errc::not_found, "to be written");
  }
  const bool same = stored->info.generation == info.generation &&
                    stored->info.bytes == info.bytes &&
                    stored->checksums == block_checksums(info, options_.identity_seed, data.view());
  if (same) return {};
  return fail(Errc::conflict, "shard {} is stored with other bytes (generation {})", info.shard,
              stored->info.generation);
}

Task<> Store::put(ShardInfo info, Buffer data) {
  if (data.size() != info.bytes || info.bytes == 0 || info.bytes % kPageBytes != 0 ||
      info.bytes > kShardBytesMax || info.generation == 0) {
    co_return fail(Errc::invalid, "shard {} of {} bytes, {} given: multiples of 4096 up to {}",
                   info.shard, info.bytes, data.size(), kShardBytesMax);
  }
  while (putting_.contains(info.shard)) CO_TRY(co_await put_ended_.wait());
  const Result<> stored = compare_with_stored(info, data);
  if (!stored.failed_with(Errc::not_found)) co_return stored;
  putting_.insert(info.shard);
  Result<> result = co_await put_new(info, std::move(data));
  putting_.erase(info.shard);
  put_ended_.notify_all();
  co_return result;
}

Task<> Store::put_new(ShardInfo info, Buffer data) {
  if (allocator_->free_bytes() < info.bytes + options_.reserve_bytes) {
    co_return fail(Errc::no_space, "the blade's chunk area is full: {} of {} bytes used",
                   used_bytes_, options_.area_bytes);
  }
  const std::optional<uint64_t> offset = allocator_->allocate(info.bytes);
  if (!offset.has_value()) {
    co_return fail(Errc::no_space, "no free run of {} bytes in the blade's chunk area", info.bytes);
  }
  auto shard = std::make_shared<Shard>();
  shard->info = info;
  shard->offset = *offset;
  shard->extent = std::make_shared<Extent>(allocator_, *offset, info.bytes);
  shard->checksums = block_checksums(info, options_.identity_seed, data.view());
  if (reinterpret_cast<uintptr_t>(data.data()) % kPageBytes != 0) {
    data = Buffer::copy_of(data.view());
  }
  co_return co_await write_shard(std::move(shard), std::move(data));
}

Task<> Store::write_shard(ShardPtr shard, Buffer data) {
  const ShardId id = shard->info.shard;
  CO_TRY(co_await prepare_slabs(shard->offset, shard->info.bytes));
  const io::WriteTicket ticket =
      CO_TRY(co_await device_.write(options_.area_offset + shard->offset, data));
  const proto::ShardIndexRecord index = to_record(*shard);
  proto::ChunkPutRecord put;
  to_ref(id, put.mutable_shard());
  *put.mutable_index() = index;
  journal::Record record;
  record.type = journal::RecordType::chunk_put;
  record.payload = put.SerializeAsString();
  CO_TRY(co_await journal_->append(std::move(record), ticket));
  // From here on the shard is durable.
  kv::WriteBatch batch;
  batch.put(shard_key(id), index.SerializeAsString());
  CO_TRY(kv_.write(std::move(batch)));
  drop(id);  // an older generation
  used_bytes_ += shard->info.bytes;
  cache_.insert(id, shard->info.bytes, 0, data);
  shards_[id] = std::move(shard);
  ++counters_.puts;
  co_return Result<>{};
}

Task<> Store::prepare_slabs(uint64_t offset, uint64_t bytes) {
  const uint64_t last = (offset + bytes - 1) / kSlabBytes;
  for (uint64_t slab = offset / kSlabBytes; slab <= last; ++slab) {
    if (slab_prepared_[slab] == 0) CO_TRY(co_await prepare_slab(slab));
  }
  // The next one ahead of use, so that no write waits for it.
  if (last + 1 < slab_prepared_.size() && slab_prepared_[last + 1] == 0) {
    slab_prepared_[last + 1] = 1;
    gate_.spawn("prepare slab", prepare_slab(last + 1));
  }
  co_return Result<>{};
}

Task<> Store::prepare_slab(uint64_t slab) {
  slab_prepared_[slab] = 1;
  const uint64_t start = slab * kSlabBytes;
  const uint64_t bytes = std::min(kSlabBytes, options_.area_bytes - start);
  Result<> prepared = co_await device_.prepare(options_.area_offset + start, bytes);
  if (!prepared.ok()) slab_prepared_[slab] = 0;
  co_return prepared;
}

Task<Buffer> Store::read(ShardId id, uint32_t offset, uint32_t size) {
  const ShardPtr shard = lookup(id);
  if (shard == nullptr) co_return fail(Errc::not_found, "shard {} is not on this blade", id);
  if (offset > shard->info.bytes || size > shard->info.bytes - offset) {
    co_return fail(Errc::out_of_range, "bytes {}+{} of shard {}, which has {}", offset, size, id,
                   shard->info.bytes);
  }
  ++counters_.reads;
  if (size == 0) co_return Buffer();
  if (Buffer cached = cache_.find(id, offset, size); !cached.empty()) {
    ++counters_.cache_hits;
    co_return cached;
  }
  const uint32_t first = offset / kBlockBytes;
  const uint32_t last = (offset + size - 1) / kBlockBytes;
  Buffer blocks = CO_TRY(co_await read_blocks(shard, first, last - first + 1));
  if (lookup(id) == shard) cache_.insert(id, shard->info.bytes, first * kBlockBytes, blocks);
  co_return blocks.slice(offset - first * kBlockBytes, size);
}

Task<Buffer> Store::read_blocks(ShardPtr shard, uint32_t first, uint32_t blocks) {
  const uint32_t start = first * kBlockBytes;
  const uint32_t bytes = std::min(blocks * kBlockBytes, shard->info.bytes - start);
  Result<Buffer> data = co_await device_.read(options_.area_offset + shard->offset + start, bytes);
  if (!data.ok()) {
    ++counters_.read_errors;
    co_return fail(data.error().within(fmt::format("shard {}", shard->info.shard)));
  }
  for (uint32_t i = 0; i < blocks; ++i) {
    const uint32_t at = i * kBlockBytes;
    const ByteView block = data->view().subspan(at, std::min(kBlockBytes, bytes - at));
    if (options_.skip_checksums_for_test) continue;
    if (block_checksum(shard->info, first + i, options_.identity_seed, block) !=
        shard->checksums[first + i]) {
      ++counters_.checksum_errors;
      co_return fail(Errc::corrupt, "block {} of shard {} fails its checksum", first + i,
                     shard->info.shard);
    }
  }
  co_return std::move(*data);
}

Task<> Store::verify(ShardId id) {
  const ShardPtr shard = lookup(id);
  if (shard == nullptr) co_return fail(Errc::not_found, "shard {} is not on this blade", id);
  const auto blocks = static_cast<uint32_t>(shard->checksums.size());
  CO_TRY(co_await read_blocks(shard, 0, blocks));
  co_return Result<>{};
}

std::optional<ShardInfo> Store::find(ShardId shard) {
  const ShardPtr found = lookup(shard);
  if (found == nullptr) return std::nullopt;
  return found->info;
}

Task<> Store::free(std::vector<ShardId> shards) {
  proto::ChunkFreeRecord freed;
  kv::WriteBatch batch;
  for (ShardId shard : shards) {
    if (!shards_.contains(shard)) continue;
    to_ref(shard, freed.add_shards());
    batch.remove(shard_key(shard));
  }
  if (freed.shards_size() == 0) co_return Result<>{};
  journal::Record record;
  record.type = journal::RecordType::chunk_free;
  record.payload = freed.SerializeAsString();
  CO_TRY(co_await journal_->append(std::move(record)));
  CO_TRY(kv_.write(std::move(batch)));
  for (const auto& ref : freed.shards()) {
    drop(from_ref(ref));
    ++counters_.frees;
  }
  co_return Result<>{};
}

// The space returns to the allocator when the last reader lets go of the extent.
void Store::drop(ShardId shard) {
  const auto found = shards_.find(shard);
  if (found == shards_.end()) return;
  used_bytes_ -= found->second->info.bytes;
  shards_.erase(found);
  cache_.erase(shard);
}

std::vector<ShardInfo> Store::list(std::optional<ShardId> after, size_t count) {
  std::vector<ShardInfo> found;
  auto it = after.has_value() ? shards_.upper_bound(*after) : shards_.begin();
  for (; it != shards_.end() && found.size() < count; ++it) found.push_back(it->second->info);
  return found;
}

Capacity Store::capacity() const {
  return {options_.area_bytes, used_bytes_, allocator_->free_bytes(), shards_.size()};
}

}  // namespace turbine::chunk
