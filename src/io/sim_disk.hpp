// SimDisk: a disk in memory that outlives the simulated processes that open it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/buffer.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"

namespace turbine::io {

/// What a power cut does to writes that no flush has covered.
enum class CrashLoss : uint8_t {
  nothing,        // the process died, the power stayed
  everything,     // all are gone
  random_subset,  // each is there or not
  torn,           // each 512-byte sector of each write is there or not
};

struct ByteRange {
  uint64_t offset = 0;
  uint64_t size = 0;
  bool overlaps(uint64_t other, uint64_t bytes) const {
    return other < offset + size && offset < other + bytes;
  }
};

/// Faults to inject; may be changed at any time. I/Os (reads, writes, flushes) are counted from 1.
struct SimFaults {
  uint64_t fail_io = 0;   // this I/O fails with Errc::io; a write or flush for good
  uint64_t crash_io = 0;  // at the start of this I/O the disk loses power
  CrashLoss crash_loss = CrashLoss::torn;
  std::vector<ByteRange> unreadable;  // reads that touch these fail with Errc::io
  bool fail_writes = false;           // the next write fails
  bool fail_flushes = false;          // the next flush fails
  bool full = false;                  // prepare() finds no space
  Duration extra_delay{};             // added to each I/O
  // Silent faults, per million writes that lie within `silent_range`.
  uint32_t lost_write_ppm = 0;         // reported done, not done
  uint32_t misdirected_write_ppm = 0;  // done at another page of silent_range
  uint32_t flipped_write_ppm = 0;      // one bit differs
  ByteRange silent_range{0, ~uint64_t{0} >> 1};
};

/// How often each fault has fired.
struct SimFaultCounters {
  uint64_t failed_ios = 0, crashes = 0, lost_unsynced_writes = 0, torn_writes = 0;
  uint64_t unreadable_reads = 0, full = 0, slow_ios = 0;
  uint64_t lost_writes = 0, misdirected_writes = 0, flipped_bits = 0;
};

struct SimTiming {
  Duration read = std::chrono::microseconds(80);
  Duration write = std::chrono::microseconds(40);
  Duration flush = std::chrono::microseconds(150);
  Duration jitter = std::chrono::microseconds(40);  // uniform extra per I/O
};

/// Sparse contents in two parts: what is durable, and writes that no flush has covered. Opened by
/// at most one SimDevice at a time. Everything follows from the seed and the order of calls.
class SimDisk {
 public:
  SimDisk(uint64_t size_bytes, uint64_t seed, SimTiming timing = {});
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  SimFaults faults;
  uint64_t size_bytes() const { return size_bytes_; }
  uint64_t io_count() const { return io_count_; }
  const SimFaultCounters& counters() const { return counters_; }
  uint64_t unsynced_count() const { return unsynced_.size(); }

  /// Loses power with no device open, see SimDevice::crash().
  void crash(CrashLoss loss);
  /// Inverts bit `bit` (0 to 7) of the byte at `offset`, in what is durable too.
  void flip_bit(uint64_t offset, int bit);
  /// Zeroes the range at once and durably: a lost or replaced disk.
  void wipe(uint64_t offset, uint64_t size);
  /// The bytes a read would give, without delay and faults.
  void peek(uint64_t offset, MutableByteView out) const;

 private:
  friend class SimDevice;
  using Page = std::array<std::byte, kPageBytes>;
  class PageMap {
   public:
    void write(uint64_t offset, ByteView data);
    bool read_page(uint64_t page, std::byte* out) const;
    Page* find(uint64_t page);
    void zero(uint64_t offset, uint64_t size);
    void clear() { pages_.clear(); }

   private:
    std::unordered_map<uint64_t, std::unique_ptr<Page>> pages_;
  };
  struct PendingWrite {
    uint64_t sequence;
    uint64_t offset;
    Buffer data;
  };

  Duration delay(Duration base);
  /// The write is done but not durable; silent faults strike here. Returns its sequence.
  uint64_t finish_write(uint64_t offset, Buffer data);
  void make_durable(uint64_t sequence);
  void lose_power(std::vector<PendingWrite> in_flight, CrashLoss loss);
  void keep_sectors(const PendingWrite& write);
  void rebuild_visible();
  void write_page_of(PageMap& map, uint64_t offset, ByteView data);

  const uint64_t size_bytes_;
  const SimTiming timing_;
  Rng rng_;
  bool open_ = false;
  uint64_t io_count_ = 0;
  uint64_t completed_ = 0;
  uint64_t durable_sequence_ = 0;
  PageMap durable_;
  PageMap visible_;  // pages of unsynced writes, as a read sees them
  std::vector<PendingWrite> unsynced_;
  SimFaultCounters counters_;
};

}  // namespace turbine::io
