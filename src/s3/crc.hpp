// CRC-32C (Castagnoli) and CRC-64/NVME, continued from a previous value (0 at the start).
#pragma once

#include <cstdint>

#include "base/buffer.hpp"

namespace turbine::s3 {

uint32_t crc32c(uint32_t previous, ByteView bytes);
uint64_t crc64nvme(uint64_t previous, ByteView bytes);

}  // namespace turbine::s3
