#include "base/buffer.hpp"

#include <array>
#include <cstdlib>
#include <new>
#include <vector>

#include "base/large_storage.hpp"

namespace turbine {
namespace {

// Sanitizers want to see every allocation and free.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TURBINE_BUFFERS_FROM_HEAP_ONLY
#endif
#endif

constexpr size_t kKeptStorageBytesMax = size_t{1} << 20;
constexpr size_t kKeptBytesMax = size_t{32} << 20;  // per thread

size_t round_up(size_t size) {
  return (size + kPageBytes - 1) / kPageBytes * kPageBytes;
}

/// Storage that was released and waits for its next use, by size, for one thread. malloc gives
/// large blocks back to the kernel, which clears them page by page on the next use: that was a
/// third of the CPU time of large reads. A storage may be released by another thread than took it.
class KeptStorage {
 public:
  KeptStorage() = default;
  KeptStorage(const KeptStorage&) = delete;
  KeptStorage& operator=(const KeptStorage&) = delete;
  ~KeptStorage() {
    clear();
    gone_ = true;
  }

  /// The calling thread's; null when the thread is ending.
  static KeptStorage* mine() {
    thread_local KeptStorage kept;
    return gone_ ? nullptr : &kept;
  }

  Buffer::Storage* take(size_t capacity) {
    if (capacity > kKeptStorageBytesMax) return nullptr;
    auto& free = free_[capacity / kPageBytes];
    if (free.empty()) return nullptr;
    Buffer::Storage* storage = free.back();
    free.pop_back();
    bytes_ -= capacity;
    return storage;
  }

  bool keep(Buffer::Storage* storage) {
    if (storage->capacity > kKeptStorageBytesMax) return false;
    auto& free = free_[storage->capacity / kPageBytes];
    if (bytes_ + storage->capacity > kKeptBytesMax) {
      if (!free.empty()) return false;
      clear();  // sizes nobody asks for any more must not fill it for ever
    }
    free.push_back(storage);
    bytes_ += storage->capacity;
    return true;
  }

 private:
  void clear() {
    for (auto& free : free_) {
      for (Buffer::Storage* storage : free) {
        std::free(storage->data);
        delete storage;
      }
      free.clear();
    }
    bytes_ = 0;
  }

  std::array<std::vector<Buffer::Storage*>, kKeptStorageBytesMax / kPageBytes + 1> free_;
  size_t bytes_ = 0;
  static thread_local bool gone_;
};
thread_local bool KeptStorage::gone_ = false;

void release_heap(Buffer::Storage* storage) {
#ifndef TURBINE_BUFFERS_FROM_HEAP_ONLY
  KeptStorage* kept = KeptStorage::mine();
  if (kept != nullptr && kept->keep(storage)) return;
#endif
  std::free(storage->data);
  delete storage;
}

Buffer::Storage* take_storage(size_t capacity) {
#ifndef TURBINE_BUFFERS_FROM_HEAP_ONLY
  if (LargeStorage* large = LargeStorage::of(capacity)) {
    if (Buffer::Storage* storage = large->take()) return storage;
  }
  if (KeptStorage* kept = KeptStorage::mine()) {
    if (Buffer::Storage* storage = kept->take(capacity)) return storage;
  }
#endif
  auto* storage = new Buffer::Storage;
  storage->capacity = capacity;
  storage->data = static_cast<std::byte*>(std::aligned_alloc(kPageBytes, capacity));
  if (storage->data == nullptr) throw std::bad_alloc();
  storage->release = release_heap;
  return storage;
}

}  // namespace

Buffer::Buffer(const Buffer& other)
    : storage_(other.storage_), data_(other.data_), size_(other.size_) {
  if (storage_ != nullptr) __atomic_fetch_add(&storage_->references, 1, __ATOMIC_RELAXED);
}

Buffer::~Buffer() {
  if (storage_ == nullptr) return;
  if (__atomic_fetch_sub(&storage_->references, 1, __ATOMIC_ACQ_REL) == 1) {
    storage_->release(storage_);
  }
}

Buffer Buffer::allocate(size_t size) {
  return from_storage(take_storage(round_up(size == 0 ? 1 : size)), size);
}

Buffer Buffer::zeroed(size_t size) {
  Buffer buffer = allocate(size);
  std::memset(buffer.data(), 0, size);
  return buffer;
}

Buffer Buffer::copy_of(ByteView bytes) {
  Buffer buffer = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.data(), bytes.data(), bytes.size());
  return buffer;
}

Buffer Buffer::from_storage(Storage* storage, size_t size) {
  CHECK(size <= storage->capacity);
  Buffer buffer;
  __atomic_fetch_add(&storage->references, 1, __ATOMIC_RELAXED);
  buffer.storage_ = storage;
  buffer.data_ = storage->data;
  buffer.size_ = size;
  return buffer;
}

Buffer Buffer::slice(size_t offset, size_t size) const {
  CHECK(offset <= size_ && size <= size_ - offset);
  Buffer result(*this);
  result.data_ += offset;
  result.size_ = size;
  return result;
}

void Buffer::resize(size_t size) {
  CHECK(size <= capacity());
  size_ = size;
}

size_t Buffer::capacity() const {
  if (storage_ == nullptr) return 0;
  return storage_->capacity - static_cast<size_t>(data_ - storage_->data);
}

}  // namespace turbine
