// hash64 of long inputs, with the widest vectors that this processor has.
#pragma once

#include <cstdint>

#include "base/buffer.hpp"

namespace turbine {

/// XXH3 64, as hash64; the same value whatever the processor.
uint64_t hash64_long(ByteView bytes, uint64_t seed);

}  // namespace turbine
