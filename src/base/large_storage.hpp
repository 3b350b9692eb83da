// LargeStorage: memory of the two sizes in which large objects travel.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "base/buffer.hpp"

namespace turbine {

/// Storage of one size, carved out of 2 MiB pages where the kernel has them: the first touch of a
/// shard is one page fault in eight instead of 64 for each. What was released is used again first;
/// nothing is given back to the system, so a process keeps as much as it needed at once (its caches
/// are most of that). Any thread.
class LargeStorage {
 public:
  /// The pool of that size; null for all sizes but 256 KiB (a shard) and 1 MiB (a stripe).
  static LargeStorage* of(size_t capacity);

  /// Null when there is no more memory.
  Buffer::Storage* take();

 private:
  explicit LargeStorage(size_t capacity) : capacity_(capacity) {}
  bool grow();
  static void release(Buffer::Storage* storage);

  const size_t capacity_;
  std::mutex mutex_;
  std::vector<Buffer::Storage*> free_;
  std::byte* fresh_ = nullptr;  // never used, up to fresh_end_
  std::byte* fresh_end_ = nullptr;
};

}  // namespace turbine
