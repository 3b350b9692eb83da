#include "base/hash_long.hpp"

// The library chooses between SSE2, AVX2 and AVX512 when it runs; code inlined from the header has
// what the compiler was told, and a build for every x86-64 is told SSE2.
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

namespace turbine {

uint64_t hash64_long(ByteView bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace turbine
