// RegisteredPool: memory the kernel has pinned for one ring, handed out as Buffers.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <mutex>
#include <vector>

#include "base/buffer.hpp"

namespace turbine::io {

/// Equal slots of page-aligned memory. Buffers may be released on any thread and may outlive the
/// device: the memory goes when close() was called and the last Buffer is gone.
class RegisteredPool {
 public:
  /// Heap object that deletes itself, see close(). Null when the memory can't be had.
  static RegisteredPool* create(size_t slot_bytes, size_t slot_count);

  std::vector<iovec> slots() const;
  size_t slot_bytes() const { return slot_bytes_; }
  /// An empty Buffer when `size` does not fit a slot or none is free.
  Buffer take(size_t size);
  /// No take() afterwards; the caller forgets the pool.
  void close();

 private:
  RegisteredPool(std::byte* memory, size_t slot_bytes, size_t slot_count);
  ~RegisteredPool();
  static void release(Buffer::Storage* storage);

  std::byte* const memory_;
  const size_t slot_bytes_;
  std::vector<Buffer::Storage> storages_;

  std::mutex mutex_;  // guards all below
  std::vector<Buffer::Storage*> free_;
  bool closed_ = false;
};

}  // namespace turbine::io
