#include "stripe/shard_cache.hpp"

#include <utility>

namespace turbine::stripe {

Buffer ShardCache::find(ShardId shard) {
  if (bytes_max_ == 0) return {};
  const auto place = places_.find(shard);
  if (place == places_.end()) return {};
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->data;
}

void ShardCache::add(ShardId shard, Buffer data) {
  if (data.size() > bytes_max_ || places_.contains(shard)) return;
  bytes_ += data.size();
  entries_.push_front({shard, std::move(data)});
  places_[shard] = entries_.begin();
  while (bytes_ > bytes_max_) {
    const Entry& oldest = entries_.back();
    bytes_ -= oldest.data.size();
    places_.erase(oldest.shard);
    entries_.pop_back();
  }
}

}  // namespace turbine::stripe
