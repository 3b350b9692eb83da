#include "sim/contents.hpp"

#include <charconv>
#include <cstring>

namespace turbine::sim {

Buffer random_bytes(Rng& rng, size_t size) {
  Buffer buffer = Buffer::allocate(size);
  rng.fill(buffer.mutable_view());
  return buffer;
}

Version Contents::version_of(const std::string& etag) const {
  Version version = 0;
  const auto [end, error] = std::from_chars(etag.data(), etag.data() + etag.size(), version, 16);
  const bool whole = error == std::errc() && end == etag.data() + etag.size();
  return whole && etag.size() == 16 && known(version) ? version : 0;
}

bool Contents::same(Version version, uint64_t offset, const std::vector<Buffer>& seen) const {
  const auto& parts = parts_.at(version);
  size_t part = 0;
  while (part < parts.size() && offset >= parts[part].size()) offset -= parts[part++].size();
  for (const Buffer& buffer : seen) {
    size_t at = 0;
    while (at < buffer.size()) {
      if (part == parts.size()) return false;
      const size_t size = std::min<size_t>(buffer.size() - at, parts[part].size() - offset);
      if (std::memcmp(buffer.data() + at, parts[part].data() + offset, size) != 0) return false;
      at += size;
      offset += size;
      if (offset < parts[part].size()) continue;
      ++part;
      offset = 0;
      while (part < parts.size() && parts[part].empty()) ++part;
    }
  }
  return true;
}

}  // namespace turbine::sim
