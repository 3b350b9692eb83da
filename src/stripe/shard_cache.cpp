#include "stripe/shard_cache.hpp"

#include <utility>

namespace turbine::stripe {

Buffer ShardCache::find(ShardId shard, uint32_t offset, uint32_t size) {
  if (bytes_max_ == 0) return {};
  const Buffer whole = find({shard, kWhole});
  if (whole.size() >= size_t{offset} + size) return whole.slice(offset, size);
  const uint32_t at = offset % kBlockBytes;
  const Buffer block = find({shard, offset / kBlockBytes});
  return block.size() >= size_t{at} + size ? block.slice(at, size) : Buffer();
}

Buffer ShardCache::find(Key key) {
  const auto place = places_.find(key);
  if (place == places_.end()) return {};
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->data;
}

void ShardCache::add(Key key, Buffer data) {
  if (data.size() > bytes_max_ || places_.contains(key)) return;
  bytes_ += data.size();
  entries_.push_front({key, std::move(data)});
  places_[key] = entries_.begin();
  while (bytes_ > bytes_max_) {
    const Entry& oldest = entries_.back();
    bytes_ -= oldest.data.size();
    places_.erase(oldest.key);
    entries_.pop_back();
  }
}

}  // namespace turbine::stripe
