// Faults: what goes wrong in a run. Each fault says whether it really struck.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "sim/sim_array.hpp"

namespace turbine::sim {

/// A fault that has not struck by then never will.
inline constexpr auto kStrikeTimeMax = std::chrono::seconds(60);
/// Between two looks at what a fault waits for.
inline constexpr auto kPoll = std::chrono::milliseconds(10);

/// Damage to what blades have stored (bit rot, lost and misdirected writes, wiped areas, unreadable
/// sectors) befalls at most two blades of a run, as that is what is promised; anything may crash.
class Faults {
 public:
  Faults(SimArray& array, uint64_t seed);

  /// Lets some faults happen, one after another or at once; returns when all of them are over, but
  /// what they killed may still be down.
  Task<> run();
  /// Whatever is still wrong is put right, but for what was damaged or lost.
  void end_all();

  uint64_t fired() const { return fired_; }
  const std::vector<std::string>& names() const { return names_; }

 private:
  using Fault = Task<bool> (Faults::*)();
  struct Kind {
    const char* name;
    Fault fault;
    int weight;
    bool avoidable = false;  // other faults may keep it from striking
  };
  static const std::vector<Kind>& kinds();
  Task<> run_one(Kind kind, Duration after);

  Task<bool> delay_messages();
  Task<bool> lose_messages();
  Task<bool> repeat_messages();
  Task<bool> cut_link();
  Task<bool> isolate_blade();
  Task<bool> cut_from_manager();
  Task<bool> split_network();
  Task<bool> pause_node();
  Task<bool> kill_blade();
  Task<bool> cut_power_in_io();
  Task<bool> cut_power_everywhere();
  Task<bool> cut_power_of_slow_blades();
  Task<bool> cut_power_of_partition();
  Task<bool> rot_bits();
  Task<bool> lose_writes();
  Task<bool> misdirect_writes();
  Task<bool> flip_written_bits();
  Task<bool> hide_sectors();
  Task<bool> wipe_chunk_area();
  Task<bool> fail_a_write();
  Task<bool> fill_device();
  Task<bool> slow_blade();
  Task<bool> kill_manager();
  Task<bool> kill_manager_for_long();
  Task<bool> restore_store();
  Task<bool> kill_gateway();

  SimArray::Blade& some_blade() { return array_.blade(1 + static_cast<uint32_t>(rng_.below(6))); }
  SimArray::Blade& damaged_blade() { return array_.blade(damaged_[rng_.below(2)]); }
  io::CrashLoss some_loss();
  Duration some_time(int ms_min, int ms_max) {
    return std::chrono::milliseconds(ms_min + static_cast<int>(rng_.below(ms_max - ms_min)));
  }
  /// Waits for the counter to grow, in steps; false after a long time.
  Task<bool> wait_until_grown(const uint64_t& counter, uint64_t by = 1);
  /// Cuts every link, in both directions, for that time.
  using Links = std::vector<std::pair<std::string, std::string>>;
  Task<bool> hold_cuts(Links links, Duration time);
  Task<bool> hold_link_faults(const uint64_t& counter, Duration time);
  void apply_link_faults();
  Task<bool> spoil_writes(uint32_t io::SimFaults::* ppm, uint64_t io::SimFaultCounters::* counter,
                          uint32_t value);
  /// Shards on the blade; none when it is down.
  std::vector<io::ByteRange> shards_of(SimArray::Blade& blade);
  void start_again(SimArray::Blade& blade);
  Task<> start_after(SimArray::Blade& blade, Duration time);

  SimArray& array_;
  Rng rng_;
  uint32_t damaged_[2];
  rpc::LinkFaults link_;
  uint64_t fired_ = 0;
  std::vector<std::string> names_;
};

}  // namespace turbine::sim
