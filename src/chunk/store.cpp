#include "chunk/store.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

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
      slabs_((options.area_bytes + kSlabBytes - 1) / kSlabBytes, SlabState::unprepared),
      slab_ended_(executor),
      put_ended_(executor),
      settle_ended_(executor),
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
  if (shard->offset > options_.area_bytes ||
      shard->info.bytes > options_.area_bytes - shard->offset) {
    co_return fail(Errc::corrupt, "shard {} lies outside the chunk area", id);
  }
  if (maybe_unflushed) {
    const auto blocks = static_cast<uint32_t>(shard->checksums.size());
    const Result<Buffer> bytes = co_await read_blocks(shard, 0, blocks);
    if (!bytes.ok()) {
      dropped_.push_back(id);
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
  settled_ = dropped_.empty();
  if (!settled_) gate_.spawn("settle dropped shards", settle_dropped());
  return {};
}

// The journal goes on behind the records whose shards were dropped, and the next replay takes them
// for flushed ones. Their space may hold other shards by then: say in the log what holds instead.
Task<> Store::settle_dropped() {
  Result<> result;
  for (ShardId id : std::exchange(dropped_, {})) {
    if (const ShardPtr survivor = lookup(id)) {
      result = co_await log_put(*survivor, {});
    } else {
      proto::ChunkFreeRecord freed;
      to_ref(id, freed.add_shards());
      result = co_await log_free(std::move(freed));
    }
    if (!result.ok()) break;
  }
  settled_ = true;
  settle_ended_.notify_all();
  co_return result;
}

Task<> Store::wait_until_settled() {
  while (!settled_) CO_TRY(co_await settle_ended_.wait());
  co_return Result<>(health_);
}

Task<> Store::log_and_index(journal::Record record, io::WriteTicket ticket, kv::WriteBatch batch) {
  CO_TRY(Result<>(health_));
  const auto place = unapplied_.insert(journal_->end());
  Result<journal::Position> logged = co_await journal_->append(std::move(record), ticket);
  Result<> done;
  if (logged.ok()) {
    done = kv_.write(std::move(batch));
  } else {
    done = fail(std::move(logged.error()));
  }
  if (done.ok()) {
    unapplied_.erase(place);
  } else if (health_.ok()) {
    // The record may be durable without its effect: no more records, and `place` stays.
    health_ = fail(done.error().within("the chunk store failed; the blade must restart"));
  }
  co_return done;
}

Task<> Store::log_put(const Shard& shard, io::WriteTicket ticket) {
  const ShardId id = shard.info.shard;
  proto::ChunkPutRecord put;
  to_ref(id, put.mutable_shard());
  *put.mutable_index() = to_record(shard);
  journal::Record record;
  record.type = journal::RecordType::chunk_put;
  record.payload = put.SerializeAsString();
  kv::WriteBatch batch;
  batch.put(shard_key(id), put.index().SerializeAsString());
  return log_and_index(std::move(record), ticket, std::move(batch));
}

Task<> Store::log_free(proto::ChunkFreeRecord freed) {
  journal::Record record;
  record.type = journal::RecordType::chunk_free;
  record.payload = freed.SerializeAsString();
  kv::WriteBatch batch;
  for (const auto& ref : freed.shards()) batch.remove(shard_key(from_ref(ref)));
  return log_and_index(std::move(record), {}, std::move(batch));
}

journal::Position Store::unapplied_from(journal::Position end) const {
  return unapplied_.empty() ? end : std::min(end, *unapplied_.begin());
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
  if (same && stored->damaged) return fail(Errc::not_found, "to be written once more");
  if (same) return {};
  return fail(Errc::conflict, "shard {} is stored with other bytes (generation {})", info.shard,
              stored->info.generation);
}

Task<> Store::put(ShardInfo info, Buffer data, AfterPut after) {
  if (data.size() != info.bytes || info.bytes == 0 || info.bytes % kPageBytes != 0 ||
      info.bytes > kShardBytesMax || info.generation == 0) {
    co_return fail(Errc::invalid, "shard {} of {} bytes, {} given: multiples of 4096 up to {}",
                   info.shard, info.bytes, data.size(), kShardBytesMax);
  }
  CO_TRY(co_await wait_until_settled());
  while (putting_.contains(info.shard)) CO_TRY(co_await put_ended_.wait());
  const Result<> stored = compare_with_stored(info, data);
  if (!stored.failed_with(Errc::not_found)) co_return stored;
  putting_.insert(info.shard);
  Result<> result = co_await put_new(info, std::move(data), after);
  putting_.erase(info.shard);
  put_ended_.notify_all();
  co_return result;
}

Task<> Store::put_new(ShardInfo info, Buffer data, AfterPut after) {
  CO_TRY(Result<>(health_));
  // Mending what a full blade lost may use the reserve: what it replaces comes free.
  const uint64_t reserve = info.generation > 1 ? 0 : options_.reserve_bytes;
  if (allocator_->free_bytes() < info.bytes + reserve) {
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
  co_return co_await write_shard(std::move(shard), std::move(data), after);
}

Task<> Store::write_shard(ShardPtr shard, Buffer data, AfterPut after) {
  const ShardId id = shard->info.shard;
  CO_TRY(co_await prepare_slabs(shard->offset, shard->info.bytes));
  const Result<io::WriteTicket> ticket =
      co_await device_.write(options_.area_offset + shard->offset, data);
  if (!ticket.ok()) {
    if (health_.ok()) health_ = fail(ticket.error().within("the chunk area can't be written"));
    co_return fail(ticket.error());
  }
  CO_TRY(co_await log_put(*shard, *ticket));
  drop(id);  // an older generation
  used_bytes_ += shard->info.bytes;
  if (after == AfterPut::cache) cache_.insert(id, shard->info.bytes, 0, data);
  shards_[id] = std::move(shard);
  ++counters_.puts;
  co_return Result<>{};
}

Task<> Store::prepare_slabs(uint64_t offset, uint64_t bytes) {
  const uint64_t last = (offset + bytes - 1) / kSlabBytes;
  for (uint64_t slab = offset / kSlabBytes; slab <= last; ++slab) {
    while (slabs_[slab] == SlabState::preparing) CO_TRY(co_await slab_ended_.wait());
    if (slabs_[slab] == SlabState::unprepared) CO_TRY(co_await prepare_slab(slab));
  }
  // The next one ahead of use, so that no write waits for it.
  if (last + 1 < slabs_.size() && slabs_[last + 1] == SlabState::unprepared && !gate_.closing()) {
    gate_.spawn("prepare slab", prepare_ahead(last + 1));
  }
  co_return Result<>{};
}

Task<> Store::prepare_ahead(uint64_t slab) {
  if (slabs_[slab] != SlabState::unprepared) co_return Result<>{};
  co_return co_await prepare_slab(slab);
}

Task<> Store::prepare_slab(uint64_t slab) {
  slabs_[slab] = SlabState::preparing;
  const uint64_t start = slab * kSlabBytes;
  const uint64_t bytes = std::min(kSlabBytes, options_.area_bytes - start);
  Result<> prepared = co_await device_.prepare(options_.area_offset + start, bytes);
  slabs_[slab] = prepared.ok() ? SlabState::prepared : SlabState::unprepared;
  slab_ended_.notify_all();
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
    shard->damaged = true;
    cache_.erase(shard->info.shard);
    co_return fail(data.error().within(fmt::format("shard {}", shard->info.shard)));
  }
  for (uint32_t i = 0; i < blocks; ++i) {
    const uint32_t at = i * kBlockBytes;
    const ByteView block = data->view().subspan(at, std::min(kBlockBytes, bytes - at));
    if (options_.skip_checksums_for_test) continue;
    if (block_checksum(shard->info, first + i, options_.identity_seed, block) !=
        shard->checksums[first + i]) {
      ++counters_.checksum_errors;
      shard->damaged = true;
      cache_.erase(shard->info.shard);  // or repair would find nothing wrong with it
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
  CO_TRY(co_await wait_until_settled());
  proto::ChunkFreeRecord freed;
  std::vector<std::pair<ShardId, ShardPtr>> found;
  for (ShardId id : shards) {
    ShardPtr shard = lookup(id);
    if (shard == nullptr) continue;
    to_ref(id, freed.add_shards());
    found.emplace_back(id, std::move(shard));
  }
  if (found.empty()) co_return Result<>{};
  CO_TRY(co_await log_free(std::move(freed)));
  for (const auto& [id, shard] : found) {
    if (lookup(id) == nullptr) continue;  // freed twice at once
    drop(id);
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
