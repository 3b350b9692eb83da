#include "object_content.hpp"

#include <algorithm>

#include "base/hash.hpp"

namespace turbine::bench {
namespace {

constexpr uint64_t kMark = 0x6275'7274'6461'6f6c;  // "loadturb"
constexpr uint64_t kPlaces = uint64_t{1} << 20;
constexpr uint64_t kPlaceBytes = 64;

struct Header {
  uint64_t mark, index, nonce, size;
};
static_assert(sizeof(Header) == ContentPool::kHeaderBytes);

}  // namespace

ContentPool::ContentPool(uint64_t object_bytes_max)
    : pool_(Buffer::allocate(kPlaces * kPlaceBytes + object_bytes_max)), places_(kPlaces) {
  Rng(20240229).fill(pool_.mutable_view());
}

uint64_t ContentPool::place(uint64_t nonce) const {
  return combine_seeds(nonce, kMark) % places_ * kPlaceBytes;
}

ContentPool::Content ContentPool::make(uint64_t index, uint64_t nonce, uint64_t size) const {
  const Header header{kMark, index, nonce, size};
  Content content;
  content.head = Buffer::copy_of(std::as_bytes(std::span(&header, 1)));
  content.head.resize(std::min<uint64_t>(size, kHeaderBytes));
  content.rest = pool_.view().subspan(place(nonce), size - content.head.size());
  return content;
}

void ContentPool::Check::feed(ByteView piece) {
  while (seen_ < kHeaderBytes && !piece.empty()) {
    head_[seen_++] = piece.front();
    piece = piece.subspan(1);
    if (seen_ < kHeaderBytes) continue;
    Header header;
    std::memcpy(&header, head_, sizeof header);
    if (header.mark != kMark || header.index != index_) wrong_ = true;
    start_ = pool_.place(header.nonce);
  }
  if (piece.empty()) return;
  const uint64_t at = start_ + seen_ - kHeaderBytes;
  if (at + piece.size() > pool_.pool_.size() ||
      std::memcmp(pool_.pool_.data() + at, piece.data(), piece.size()) != 0) {
    wrong_ = true;
  }
  seen_ += piece.size();
}

bool ContentPool::Check::good(uint64_t size) const {
  if (wrong_ || seen_ != size) return false;
  Header header;
  std::memcpy(&header, head_, sizeof header);
  return size < kHeaderBytes || header.size == size;
}

}  // namespace turbine::bench
