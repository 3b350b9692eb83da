// SipHash-2-4 (Aumasson, Bernstein 2012): a fast keyed hash of short messages.
#pragma once

#include <array>
#include <cstdint>

#include "base/buffer.hpp"

namespace turbine::nfs {

/// 128 random bits.
using SipKey = std::array<std::byte, 16>;

uint64_t siphash24(const SipKey& key, ByteView message);

}  // namespace turbine::nfs
