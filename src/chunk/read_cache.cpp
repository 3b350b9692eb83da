#include "chunk/read_cache.hpp"

#include <algorithm>
#include <cstring>

namespace turbine::chunk {

Buffer ReadCache::find(ShardId shard, uint32_t offset, uint32_t size) {
  const auto found = entries_.find(shard);
  if (found == entries_.end() || size == 0) return {};
  Entry& entry = found->second;
  const uint32_t first = offset / block_bytes_;
  const uint32_t last = (offset + size - 1) / block_bytes_;
  if (last >= entry.blocks.size()) return {};
  bool contiguous = true;
  for (uint32_t i = first; i <= last; ++i) {
    if (entry.blocks[i].empty()) return {};
    contiguous =
        contiguous &&
        (i == first || (entry.blocks[i].storage() == entry.blocks[i - 1].storage() &&
                        entry.blocks[i].data() == entry.blocks[i - 1].data() + block_bytes_));
  }
  entry.referenced = true;
  const uint32_t skip = offset - first * block_bytes_;
  if (contiguous) {
    // One storage: widen the first block's slice over the blocks that follow it in memory.
    Buffer whole = entry.blocks[first];
    whole.resize(skip + size);
    return whole.slice(skip, size);
  }
  Buffer copy = Buffer::allocate(size);
  for (uint32_t i = first, done = 0; i <= last; ++i) {
    const uint32_t from = i == first ? skip : 0;
    const auto count =
        std::min<uint32_t>(static_cast<uint32_t>(entry.blocks[i].size()) - from, size - done);
    std::memcpy(copy.data() + done, entry.blocks[i].data() + from, count);
    done += count;
  }
  return copy;
}

void ReadCache::insert(ShardId shard, uint32_t shard_bytes, uint32_t offset, const Buffer& data) {
  if (shard_bytes > bytes_max_ || data.empty()) return;
  auto [found, fresh] = entries_.try_emplace(shard);
  Entry& entry = found->second;
  if (fresh) {
    entry.blocks.resize((shard_bytes + block_bytes_ - 1) / block_bytes_);
    entry.place = clock_.insert(clock_.end(), shard);
  }
  for (uint32_t done = 0; done < data.size(); done += block_bytes_) {
    const uint32_t index = (offset + done) / block_bytes_;
    const auto count = std::min<size_t>(block_bytes_, data.size() - done);
    if (index >= entry.blocks.size() || !entry.blocks[index].empty()) continue;
    entry.blocks[index] = data.slice(done, count);
    entry.bytes += count;
    bytes_ += count;
  }
  make_room();
}

void ReadCache::make_room() {
  while (bytes_ > bytes_max_ && !clock_.empty()) {
    const ShardId shard = clock_.front();
    Entry& entry = entries_.at(shard);
    if (entry.referenced) {
      entry.referenced = false;
      clock_.splice(clock_.end(), clock_, clock_.begin());
    } else {
      erase(shard);
    }
  }
}

void ReadCache::erase(ShardId shard) {
  const auto found = entries_.find(shard);
  if (found == entries_.end()) return;
  bytes_ -= found->second.bytes;
  clock_.erase(found->second.place);
  entries_.erase(found);
}

}  // namespace turbine::chunk
