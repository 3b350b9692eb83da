#include "nfs/gather_list.hpp"

#include <algorithm>

namespace turbine::nfs {
namespace {

constexpr size_t kChunkBytesMax = size_t{64} << 10;
constexpr size_t kSpareBytesMin = 256;  // less is not worth a piece of its own
constexpr size_t kSentPartsMax = 64;

}  // namespace

void GatherList::settle() {
  if (next_ == nullptr) return;
  Buffer& last = parts_.back();
  last.resize(static_cast<size_t>(next_ - last.data()));
}

std::byte* GatherList::extend_anew(size_t size) {
  CHECK(size <= kExtendBytesMax);
  settle();
  if (size > 0 && spare_.capacity() >= size) {
    parts_.push_back(std::move(spare_));
  } else {
    // A long reply (READDIRPLUS) gets longer chunks, so that it is sent in few pieces.
    if (room_ > 0) chunk_bytes_ = std::min(chunk_bytes_ * 2, kChunkBytesMax);
    Buffer chunk = Buffer::allocate(chunk_bytes_);
    chunk.resize(0);
    parts_.push_back(std::move(chunk));
  }
  spare_ = Buffer();
  Buffer& last = parts_.back();
  room_ = last.capacity() - size;
  last.resize(size);
  next_ = last.data() + size;
  appended_ += size;
  return last.data();
}

void GatherList::append(const Buffer& payload) {
  if (payload.empty()) return;
  settle();
  next_ = nullptr;
  if (room_ >= kSpareBytesMin) {
    Buffer whole = parts_.back();
    const size_t used = whole.size();
    whole.resize(used + room_);
    spare_ = whole.slice(used, room_);
    spare_.resize(0);
  }
  room_ = 0;
  parts_.push_back(payload);
  appended_ += payload.size();
}

size_t GatherList::gather(std::span<boost::asio::const_buffer> into) {
  settle();
  size_t count = 0;
  size_t skip = first_offset_;
  for (size_t i = first_; i < parts_.size() && count < into.size(); ++i) {
    const Buffer& part = parts_[i];
    if (part.size() > skip) into[count++] = {part.data() + skip, part.size() - skip};
    skip = 0;
  }
  return count;
}

void GatherList::consume(size_t bytes) {
  sent_ += bytes;
  CHECK(sent_ <= appended_);
  if (sent_ == appended_) {
    clear();
    return;
  }
  settle();
  first_offset_ += bytes;
  while (first_offset_ >= parts_[first_].size()) {
    first_offset_ -= parts_[first_].size();
    parts_[first_++] = Buffer();
  }
  if (first_ >= kSentPartsMax) {
    parts_.erase(parts_.begin(), parts_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
}

std::string GatherList::take_text() {
  std::string text;
  while (!empty()) {
    boost::asio::const_buffer piece;
    gather(std::span(&piece, 1));
    text.append(static_cast<const char*>(piece.data()), piece.size());
    consume(piece.size());
  }
  return text;
}

void GatherList::clear() {
  sent_ = appended_;
  next_ = nullptr;
  Buffer last = room_ > 0 ? std::move(parts_.back()) : Buffer();
  parts_.clear();
  first_ = first_offset_ = 0;
  spare_ = Buffer();
  chunk_bytes_ = kPageBytes;
  room_ = 0;
  // The chunk is used again from its start, when it is a small one.
  if (last.storage() == nullptr || last.storage()->capacity > kPageBytes) return;
  spare_ = Buffer::from_storage(const_cast<Buffer::Storage*>(last.storage()), 0);
}

}  // namespace turbine::nfs
