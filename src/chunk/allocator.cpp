#include "chunk/allocator.hpp"

#include "base/check.hpp"

namespace turbine::chunk {
namespace {

// How many runs behind the cursor are looked at before the search goes by size.
constexpr int kRunsTriedMax = 16;

}  // namespace

Allocator::Allocator(uint64_t area_bytes) : total_bytes_(area_bytes / kPageBytes * kPageBytes) {
  if (total_bytes_ > 0) insert(0, total_bytes_);
  free_bytes_ = total_bytes_;
}

std::optional<uint64_t> Allocator::allocate(uint64_t bytes) {
  CHECK(bytes > 0 && bytes % kPageBytes == 0);
  auto run = runs_.lower_bound(cursor_);
  for (int tried = 0; tried < kRunsTriedMax; ++tried) {
    if (run == runs_.end()) {
      cursor_ = 0;
      break;
    }
    if (run->second >= bytes) return take(run, bytes);
    ++run;
  }
  const auto fitting = by_size_.lower_bound({bytes, 0});
  if (fitting == by_size_.end()) return std::nullopt;
  return take(runs_.find(fitting->second), bytes);
}

uint64_t Allocator::take(Runs::iterator run, uint64_t bytes) {
  const uint64_t offset = run->first;
  const uint64_t rest = run->second - bytes;
  erase(run);
  if (rest > 0) insert(offset + bytes, rest);
  free_bytes_ -= bytes;
  cursor_ = offset + bytes;
  return offset;
}

bool Allocator::reserve(uint64_t offset, uint64_t bytes) {
  if (bytes == 0 || offset % kPageBytes != 0 || bytes % kPageBytes != 0) return false;
  if (offset > total_bytes_ || bytes > total_bytes_ - offset) return false;
  auto run = runs_.upper_bound(offset);
  if (run == runs_.begin()) return false;
  --run;
  const uint64_t start = run->first, end = run->first + run->second;
  if (offset < start || offset + bytes > end) return false;
  erase(run);
  if (offset > start) insert(start, offset - start);
  if (offset + bytes < end) insert(offset + bytes, end - offset - bytes);
  free_bytes_ -= bytes;
  return true;
}

void Allocator::release(uint64_t offset, uint64_t bytes) {
  CHECK(bytes > 0 && offset + bytes <= total_bytes_);
  free_bytes_ += bytes;
  auto next = runs_.lower_bound(offset);
  CHECK(next == runs_.end() || next->first >= offset + bytes);
  if (next != runs_.end() && next->first == offset + bytes) {
    bytes += next->second;
    auto merged = next++;
    erase(merged);
  }
  if (next != runs_.begin()) {
    auto before = std::prev(next);
    CHECK(before->first + before->second <= offset);
    if (before->first + before->second == offset) {
      offset = before->first;
      bytes += before->second;
      erase(before);
    }
  }
  insert(offset, bytes);
}

uint64_t Allocator::largest_run_bytes() const {
  return by_size_.empty() ? 0 : by_size_.rbegin()->first;
}

void Allocator::insert(uint64_t offset, uint64_t bytes) {
  runs_.emplace(offset, bytes);
  by_size_.emplace(bytes, offset);
}

void Allocator::erase(Runs::iterator run) {
  by_size_.erase({run->second, run->first});
  runs_.erase(run);
}

}  // namespace turbine::chunk
