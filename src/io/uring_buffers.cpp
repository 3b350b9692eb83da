#include "io/uring_buffers.hpp"

#include <sys/mman.h>

namespace turbine::io {

RegisteredPool* RegisteredPool::create(size_t slot_bytes, size_t slot_count) {
  void* memory = ::mmap(nullptr, slot_bytes * slot_count, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  return new RegisteredPool(static_cast<std::byte*>(memory), slot_bytes, slot_count);
}

RegisteredPool::RegisteredPool(std::byte* memory, size_t slot_bytes, size_t slot_count)
    : memory_(memory), slot_bytes_(slot_bytes), storages_(slot_count) {
  for (size_t i = 0; i < slot_count; ++i) {
    storages_[i] = {.data = memory + i * slot_bytes,
                    .capacity = slot_bytes,
                    .registered_index = static_cast<int>(i),
                    .release = release,
                    .owner = this};
    free_.push_back(&storages_[i]);
  }
}

RegisteredPool::~RegisteredPool() {
  ::munmap(memory_, slot_bytes_ * storages_.size());
}

std::vector<iovec> RegisteredPool::slots() const {
  std::vector<iovec> slots;
  slots.reserve(storages_.size());
  for (const auto& storage : storages_) slots.push_back({storage.data, storage.capacity});
  return slots;
}

Buffer RegisteredPool::take(size_t size) {
  if (size > slot_bytes_) return {};
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return {};
  Buffer::Storage* storage = free_.back();
  free_.pop_back();
  return Buffer::from_storage(storage, size);
}

void RegisteredPool::release(Buffer::Storage* storage) {
  auto* pool = static_cast<RegisteredPool*>(storage->owner);
  bool last = false;
  {
    const std::lock_guard lock(pool->mutex_);
    pool->free_.push_back(storage);
    last = pool->closed_ && pool->free_.size() == pool->storages_.size();
  }
  if (last) delete pool;
}

void RegisteredPool::close() {
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    last = free_.size() == storages_.size();
  }
  if (last) delete this;
}

}  // namespace turbine::io
