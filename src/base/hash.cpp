#include "base/hash.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace turbine {

uint64_t hash64(ByteView bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

uint64_t combine_seeds(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  const uint64_t parts[4] = {a, b, c, d};
  return XXH3_64bits(parts, sizeof parts);
}

}  // namespace turbine
