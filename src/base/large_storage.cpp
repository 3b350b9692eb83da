#include "base/large_storage.hpp"

#include <sys/mman.h>

namespace turbine {
namespace {

constexpr size_t kShardBytes = size_t{256} << 10;
constexpr size_t kStripeBytes = size_t{1} << 20;
constexpr size_t kHugePageBytes = size_t{2} << 20;
constexpr size_t kGrowBytes = size_t{32} << 20;  // of address space; memory comes when touched

}  // namespace

LargeStorage* LargeStorage::of(size_t capacity) {
  // Never destroyed: buffers may be released while the process ends.
  static auto* const shards = new LargeStorage(kShardBytes);
  static auto* const stripes = new LargeStorage(kStripeBytes);
  if (capacity == kShardBytes) return shards;
  if (capacity == kStripeBytes) return stripes;
  return nullptr;
}

Buffer::Storage* LargeStorage::take() {
  const std::lock_guard lock(mutex_);
  if (!free_.empty()) {
    Buffer::Storage* storage = free_.back();
    free_.pop_back();
    return storage;
  }
  if (fresh_ == fresh_end_ && !grow()) return nullptr;
  auto* storage = new Buffer::Storage;
  storage->data = fresh_;
  storage->capacity = capacity_;
  storage->release = release;
  storage->owner = this;
  fresh_ += capacity_;
  return storage;
}

bool LargeStorage::grow() {
  void* memory = ::mmap(nullptr, kGrowBytes + kHugePageBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  const auto start = reinterpret_cast<uintptr_t>(memory);
  const size_t skip = (kHugePageBytes - start % kHugePageBytes) % kHugePageBytes;
  fresh_ = static_cast<std::byte*>(memory) + skip;
  fresh_end_ = fresh_ + kGrowBytes;
  ::madvise(fresh_, kGrowBytes, MADV_HUGEPAGE);  // as well without
  return true;
}

void LargeStorage::release(Buffer::Storage* storage) {
  auto* pool = static_cast<LargeStorage*>(storage->owner);
  const std::lock_guard lock(pool->mutex_);
  pool->free_.push_back(storage);
}

}  // namespace turbine
