// Opening of the file or block device behind a ring.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace turbine::io {

struct DirectFile {
  int fd = -1;
  uint64_t size_bytes = 0;
  uint32_t memory_alignment = 4096;  // of buffer addresses
};

/// Opens with O_DIRECT, locks exclusively, checks size and alignment. Waits up to `lock_wait` for
/// the lock of a process that has ended. The caller closes fd.
Result<DirectFile> open_direct(const std::string& path, uint64_t size_bytes, bool create,
                               Duration lock_wait);

}  // namespace turbine::io
