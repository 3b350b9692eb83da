#include "io/sim_disk.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "io/device.hpp"

namespace turbine::io {
namespace {

bool all_zero(ByteView bytes) {
  return bytes[0] == std::byte{0} &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace

// --- PageMap ---------------------------------------------------------------------------------

void SimDisk::PageMap::write(uint64_t offset, ByteView data) {
  for (size_t at = 0; at < data.size(); at += kPageBytes) {
    auto& page = pages_[(offset + at) / kPageBytes];
    if (page == nullptr) page = std::make_unique<Page>();
    std::memcpy(page->data(), data.data() + at, kPageBytes);
  }
}

bool SimDisk::PageMap::read_page(uint64_t page, std::byte* out) const {
  const auto it = pages_.find(page);
  if (it == pages_.end()) return false;
  std::memcpy(out, it->second->data(), kPageBytes);
  return true;
}

SimDisk::Page* SimDisk::PageMap::find(uint64_t page) {
  const auto it = pages_.find(page);
  return it == pages_.end() ? nullptr : it->second.get();
}

void SimDisk::PageMap::zero(uint64_t offset, uint64_t size) {
  if (size / kPageBytes <= pages_.size()) {
    for (uint64_t at = offset; at < offset + size; at += kPageBytes) pages_.erase(at / kPageBytes);
    return;
  }
  std::erase_if(pages_, [&](const auto& item) {
    return item.first >= offset / kPageBytes && item.first < (offset + size) / kPageBytes;
  });
}

// --- SimDisk ---------------------------------------------------------------------------------

SimDisk::SimDisk(uint64_t size_bytes, uint64_t seed, SimTiming timing)
    : size_bytes_(size_bytes), timing_(timing), rng_(seed) {
  CHECK(size_bytes > 0 && size_bytes % kPageBytes == 0);
}

Duration SimDisk::delay(Duration base) {
  if (faults.extra_delay > Duration(0)) ++counters_.slow_ios;
  const auto jitter = static_cast<uint64_t>(timing_.jitter.count());
  return base + faults.extra_delay +
         Duration(jitter == 0 ? 0 : static_cast<int64_t>(rng_.below(jitter)));
}

void SimDisk::peek(uint64_t offset, MutableByteView out) const {
  CHECK(offset % kPageBytes == 0 && out.size() % kPageBytes == 0);
  for (size_t at = 0; at < out.size(); at += kPageBytes) {
    const uint64_t page = (offset + at) / kPageBytes;
    if (visible_.read_page(page, out.data() + at) || durable_.read_page(page, out.data() + at)) {
      continue;
    }
    std::memset(out.data() + at, 0, kPageBytes);
  }
}

uint64_t SimDisk::finish_write(uint64_t offset, Buffer data) {
  constexpr uint64_t kMillion = 1'000'000;
  const ByteRange& range = faults.silent_range;
  if (offset >= range.offset && offset + data.size() <= range.offset + range.size) {
    if (faults.lost_write_ppm > 0 && rng_.chance(faults.lost_write_ppm, kMillion)) {
      ++counters_.lost_writes;
      return ++completed_;
    }
    if (faults.misdirected_write_ppm > 0 && rng_.chance(faults.misdirected_write_ppm, kMillion)) {
      ++counters_.misdirected_writes;
      const uint64_t end = std::min(size_bytes_, range.offset + range.size);
      const uint64_t places = (end - range.offset - data.size()) / kPageBytes + 1;
      offset = range.offset + rng_.below(places) * kPageBytes;
    }
    if (faults.flipped_write_ppm > 0 && rng_.chance(faults.flipped_write_ppm, kMillion)) {
      ++counters_.flipped_bits;
      data = Buffer::copy_of(data.view());
      data.data()[rng_.below(data.size())] ^= static_cast<std::byte>(1U << rng_.below(8));
    }
  }
  visible_.write(offset, data.view());
  unsynced_.push_back({++completed_, offset, std::move(data)});
  return completed_;
}

void SimDisk::make_durable(uint64_t sequence) {
  auto it = unsynced_.begin();
  for (; it != unsynced_.end() && it->sequence <= sequence; ++it) {
    write_page_of(durable_, it->offset, it->data.view());
  }
  unsynced_.erase(unsynced_.begin(), it);
  durable_sequence_ = std::max(durable_sequence_, sequence);
  rebuild_visible();
}

void SimDisk::write_page_of(PageMap& map, uint64_t offset, ByteView data) {
  for (size_t at = 0; at < data.size(); at += kPageBytes) {
    const ByteView page = data.subspan(at, kPageBytes);
    if (all_zero(page)) {
      map.zero(offset + at, kPageBytes);  // keeps formatted regions sparse
    } else {
      map.write(offset + at, page);
    }
  }
}

void SimDisk::rebuild_visible() {
  visible_.clear();
  for (const auto& write : unsynced_) visible_.write(write.offset, write.data.view());
}

void SimDisk::crash(CrashLoss loss) {
  CHECK(!open_);
  lose_power({}, loss);
}

void SimDisk::lose_power(std::vector<PendingWrite> in_flight, CrashLoss loss) {
  ++counters_.crashes;
  std::vector<PendingWrite> writes = std::exchange(unsynced_, {});
  std::move(in_flight.begin(), in_flight.end(), std::back_inserter(writes));
  for (const auto& write : writes) {
    const bool keep =
        loss == CrashLoss::nothing || (loss == CrashLoss::random_subset && rng_.chance(1, 2));
    if (loss == CrashLoss::torn) {
      keep_sectors(write);
    } else if (keep) {
      write_page_of(durable_, write.offset, write.data.view());
    } else {
      ++counters_.lost_unsynced_writes;
    }
  }
  completed_ += in_flight.size();
  durable_sequence_ = completed_;
  rebuild_visible();
}

/// A third of the torn writes keep a prefix, as disks mostly do; the others any subset.
void SimDisk::keep_sectors(const PendingWrite& write) {
  ++counters_.torn_writes;
  const size_t sectors = write.data.size() / kSectorBytes;
  const bool prefix_only = rng_.chance(1, 3);
  const size_t prefix = rng_.below(sectors + 1);
  for (size_t at = 0; at < write.data.size(); at += kPageBytes) {
    Page page{};
    durable_.read_page((write.offset + at) / kPageBytes, page.data());
    for (size_t in_page = 0; in_page < kPageBytes; in_page += kSectorBytes) {
      const size_t sector = (at + in_page) / kSectorBytes;
      if (prefix_only ? sector < prefix : rng_.chance(1, 2)) {
        std::memcpy(page.data() + in_page, write.data.data() + at + in_page, kSectorBytes);
      }
    }
    write_page_of(durable_, write.offset + at, page);
  }
}

void SimDisk::flip_bit(uint64_t offset, int bit) {
  CHECK(offset < size_bytes_);
  Buffer page = Buffer::zeroed(kPageBytes);
  const uint64_t start = offset - offset % kPageBytes;
  durable_.read_page(start / kPageBytes, page.data());
  const auto mask = static_cast<std::byte>(1U << bit);
  page.data()[offset - start] ^= mask;
  durable_.write(start, page.view());
  if (Page* seen = visible_.find(start / kPageBytes)) (*seen)[offset - start] ^= mask;
  for (auto& write : unsynced_) {
    if (offset < write.offset || offset >= write.offset + write.data.size()) continue;
    write.data = Buffer::copy_of(write.data.view());
    write.data.data()[offset - write.offset] ^= mask;
  }
  ++counters_.flipped_bits;
}

void SimDisk::wipe(uint64_t offset, uint64_t size) {
  CHECK(offset % kPageBytes == 0 && size % kPageBytes == 0);
  std::erase_if(unsynced_, [&](const auto& write) {
    return ByteRange{offset, size}.overlaps(write.offset, write.data.size());
  });
  durable_.zero(offset, size);
  rebuild_visible();
}

}  // namespace turbine::io
