// The Kv of simulation: an ordered map that forgets what was not flushed.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "kv/kv.hpp"

namespace turbine::kv {

/// What survives a crash of the store on it. Outlives the store opened on it.
class MemKvDisk {
 public:
  MemKvDisk();
  ~MemKvDisk();
  MemKvDisk(const MemKvDisk&) = delete;
  MemKvDisk& operator=(const MemKvDisk&) = delete;

  /// Power is lost: flushes in flight never end well, and the open store answers Errc::closed from
  /// now on. Batches that were not flushed are gone; with `rng` a random prefix of them is kept, as
  /// a store may that flushes by itself.
  void crash(Rng* rng = nullptr);
  /// From now on flushes fail, and with the first the store for good.
  void fail_flushes();
  /// Flushes that have completed.
  uint64_t flush_count() const;

  struct State;

 private:
  friend std::unique_ptr<Kv> open_mem_kv(Clock&, MemKvDisk&, struct MemKvOptions);
  std::shared_ptr<State> state_;
};

struct MemKvOptions {
  Duration flush_time = std::chrono::milliseconds(2);
  Duration flush_time_per_mib = std::chrono::milliseconds(2);
  /// get_async() of every n-th key takes `cold_read_time`; 0: none does.
  uint64_t cold_read_one_in = 0;
  Duration cold_read_time = std::chrono::microseconds(100);
};

/// Opens what the disk holds. A store that was open before forgets and answers Errc::closed.
std::unique_ptr<Kv> open_mem_kv(Clock& clock, MemKvDisk& disk, MemKvOptions options = {});

}  // namespace turbine::kv
