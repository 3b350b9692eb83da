#include "base/hash.hpp"

#include "base/hash_long.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace turbine {

namespace {
constexpr size_t kShortBytesMax = 240;  // up to here XXH3 has no vector code
}

uint64_t hash64(ByteView bytes, uint64_t seed) {
  if (bytes.size() > kShortBytesMax) return hash64_long(bytes, seed);
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

uint64_t combine_seeds(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  const uint64_t parts[4] = {a, b, c, d};
  return XXH3_64bits(parts, sizeof parts);
}

}  // namespace turbine
