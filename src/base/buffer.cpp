#include "base/buffer.hpp"

#include <cstdlib>
#include <new>

namespace turbine {
namespace {

size_t round_up(size_t size) {
  return (size + kPageBytes - 1) / kPageBytes * kPageBytes;
}

void release_heap(Buffer::Storage* storage) {
  std::free(storage->data);
  delete storage;
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
  auto* storage = new Storage;
  storage->capacity = round_up(size == 0 ? 1 : size);
  storage->data = static_cast<std::byte*>(std::aligned_alloc(kPageBytes, storage->capacity));
  if (storage->data == nullptr) throw std::bad_alloc();
  storage->release = release_heap;
  return from_storage(storage, size);
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
