// Buffer: reference-counted bytes that travel from socket to device without being copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.hpp"

namespace turbine {

using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline constexpr size_t kPageBytes = 4096;

/// A slice of shared storage, aligned to 4 KiB at the storage's start. Copying shares; the storage
/// goes back to where it came from with its last slice. One thread at a time may write to it; after
/// it was handed on it must not be changed. Reference counts are atomic.
class Buffer {
 public:
  /// Where storage comes from and returns to (heap, or a pool of registered memory).
  struct Storage {
    std::byte* data = nullptr;
    size_t capacity = 0;
    int registered_index = -1;  // index in the ring's registered buffers, -1 if none
    void (*release)(Storage*) = nullptr;
    void* owner = nullptr;
    uint32_t references = 0;
  };

  Buffer() = default;
  Buffer(const Buffer& other);
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer();

  /// Uninitialised heap storage of `size` bytes, aligned to 4 KiB, capacity rounded up to 4 KiB.
  static Buffer allocate(size_t size);
  static Buffer zeroed(size_t size);
  static Buffer copy_of(ByteView bytes);
  static Buffer copy_of(std::string_view text) { return copy_of(as_bytes(text)); }
  /// Takes one reference on `storage`.
  static Buffer from_storage(Storage* storage, size_t size);

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteView view() const { return {data_, size_}; }
  MutableByteView mutable_view() { return {data_, size_}; }
  std::string_view text() const { return as_text(view()); }
  const Storage* storage() const { return storage_; }

  /// The bytes [offset, offset + size) of this buffer, sharing its storage.
  Buffer slice(size_t offset, size_t size) const;
  /// Shortens the slice, or lengthens it within the storage's capacity.
  void resize(size_t size);
  /// Bytes from data() to the end of the storage.
  size_t capacity() const;

 private:
  void swap(Buffer& other) noexcept {
    std::swap(storage_, other.storage_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
  Storage* storage_ = nullptr;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace turbine
