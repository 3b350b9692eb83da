// One I/O of the io_uring device.
#pragma once

#include <cstdint>
#include <functional>

#include "base/buffer.hpp"

namespace turbine::io {

/// One I/O, from the call to its last completion. Lives in the device, so that the kernel's view
/// of it and of its buffer stays valid whatever happens to the coroutine.
struct UringOperation {
  enum class Kind : uint8_t { write, read, flush, allocate, punch };
  Kind kind = Kind::read;
  uint64_t offset = 0;
  uint64_t size = 0;
  Buffer buffer;
  uint64_t done = 0;    // bytes transferred so far
  uint64_t covers = 0;  // flush: writes completed before its submission
  int resubmits = 0;
  int error = 0;  // errno
  /// A flush that the kernel starts when this write has completed. The write's `wake` is called
  /// when both have; a write that did not succeed whole cancels its flush.
  UringOperation* then = nullptr;
  UringOperation* before = nullptr;  // of the flush: its write
  uint32_t parts_left = 1;           // completions to come before `wake`
  bool whole = true;                 // linked write: all of it was written at once
  std::move_only_function<void()> wake;
};

}  // namespace turbine::io
