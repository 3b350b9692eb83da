// Checksums and hashes (XXH3; the only place that sees xxHash).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/buffer.hpp"

namespace turbine {

/// XXH3 64 of `bytes` under `seed`. Checksums on disk and wire seed it with the identity of what
/// they cover, so that the right bytes at the wrong place fail.
uint64_t hash64(ByteView bytes, uint64_t seed = 0);
inline uint64_t hash64(std::string_view text, uint64_t seed = 0) {
  return hash64(as_bytes(text), seed);
}
/// One seed out of several identity numbers.
uint64_t combine_seeds(uint64_t a, uint64_t b, uint64_t c = 0, uint64_t d = 0);

}  // namespace turbine
