#include "fs/known_contents.hpp"

#include <utility>

namespace turbine::fs {

KnownContents::Known KnownContents::find(InodeId file) {
  const auto place = places_.find(file);
  if (place == places_.end()) return {};
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->known;
}

bool KnownContents::worth_learning(InodeId file, uint64_t version) {
  if (seen_.size() >= kSeenMax) seen_.clear();
  Seen& seen = seen_[file];
  if (seen.version != version) seen = {version, 0};
  if (seen.reads > kReadsBefore) return false;
  return ++seen.reads == kReadsBefore;
}

void KnownContents::put(InodeId file, Known known, size_t bytes) {
  if (bytes > kBytesMax / 4) return;
  drop(file);
  bytes_ += bytes;
  entries_.push_front({file, std::move(known), bytes});
  places_[file] = entries_.begin();
  while (bytes_ > kBytesMax) {
    const InodeId oldest = entries_.back().file;  // drop() ends the entry
    drop(oldest);
  }
}

void KnownContents::drop(InodeId file) {
  const auto place = places_.find(file);
  if (place == places_.end()) return;
  bytes_ -= place->second->bytes;
  entries_.erase(place->second);
  places_.erase(place);
  seen_.erase(file);
}

void KnownContents::clear() {
  entries_.clear();
  places_.clear();
  seen_.clear();
  bytes_ = 0;
}

}  // namespace turbine::fs
