#include "fs/new_content.hpp"

#include <cstring>

namespace turbine::fs {

void add_stripes(const std::vector<proto::NewStripe>& stripes, uint64_t offset,
                 proto::NewContent* content) {
  for (const proto::NewStripe& stripe : stripes) {
    *content->add_stripes() = stripe;
    proto::Extent& extent = *content->add_extents();
    extent.set_offset(offset);
    extent.set_length(stripe.data_bytes());
    extent.set_stripe(stripe.id());
    extent.set_group(stripe.group());
    extent.set_shard_bytes(stripe.shard_bytes());
    offset += stripe.data_bytes();
  }
}

Buffer join(const std::vector<Buffer>& pieces, size_t size) {
  if (pieces.empty()) return {};
  if (pieces.size() == 1) return pieces.front();
  Buffer joined = Buffer::allocate(size);
  size_t at = 0;
  for (const Buffer& piece : pieces) {
    std::memcpy(joined.data() + at, piece.data(), piece.size());
    at += piece.size();
  }
  return joined;
}

}  // namespace turbine::fs
