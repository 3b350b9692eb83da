#include "sim/faults.hpp"

#include <algorithm>

#include "base/async.hpp"
#include "chunk/shard_index.hpp"

namespace turbine::sim {
namespace {

using std::chrono::milliseconds;

constexpr uint32_t kMillion = 1'000'000;

}  // namespace

const std::vector<Faults::Kind>& Faults::kinds() {
  static const std::vector<Kind> kKinds = {
      {"delayed messages", &Faults::delay_messages, 2},
      {"lost messages", &Faults::lose_messages, 2},
      {"repeated messages", &Faults::repeat_messages, 2},
      {"a cut link", &Faults::cut_link, 2, true},
      {"an isolated blade", &Faults::isolate_blade, 2},
      {"a blade without manager", &Faults::cut_from_manager, 2, true},
      {"a split network", &Faults::split_network, 3},
      {"a pause", &Faults::pause_node, 2},
      {"a dead blade", &Faults::kill_blade, 3},
      {"power cut in an I/O", &Faults::cut_power_in_io, 4},
      {"power cut everywhere", &Faults::cut_power_everywhere, 2},
      {"power cut of slow blades", &Faults::cut_power_of_slow_blades, 2, true},
      {"power cut of a partition", &Faults::cut_power_of_partition, 2, true},
      {"bit rot", &Faults::rot_bits, 3},
      {"lost writes", &Faults::lose_writes, 2},
      {"misdirected writes", &Faults::misdirect_writes, 2},
      {"flipped bits in writes", &Faults::flip_written_bits, 2},
      {"unreadable sectors", &Faults::hide_sectors, 2},
      {"a wiped chunk area", &Faults::wipe_chunk_area, 2},
      {"a failed write", &Faults::fail_a_write, 2, true},
      {"a full device", &Faults::fill_device, 1, true},
      {"a slow blade", &Faults::slow_blade, 2, true},
      {"a dead manager", &Faults::kill_manager, 2},
      {"a manager dead for long", &Faults::kill_manager_for_long, 1},
      {"an older cluster store", &Faults::restore_store, 2},
      {"a dead gateway", &Faults::kill_gateway, 2},
  };
  return kKinds;
}

Faults::Faults(SimArray& array, uint64_t seed) : array_(array), rng_(seed) {
  damaged_[0] = 1 + static_cast<uint32_t>(rng_.below(kBlades));
  damaged_[1] = 1 + static_cast<uint32_t>((damaged_[0] + rng_.below(kBlades - 1)) % kBlades);
  link_.delay_min = std::chrono::microseconds(50);
  link_.delay_max = std::chrono::microseconds(300);
}

Task<> Faults::run() {
  std::vector<Kind> left = kinds();
  const uint64_t count = 3 + rng_.below(4);
  std::vector<Task<>> faults;
  while (faults.size() < count) {
    uint64_t sum = 0;
    for (const Kind& kind : left) sum += static_cast<uint64_t>(kind.weight);
    auto dice = static_cast<int64_t>(rng_.below(sum));
    auto chosen = left.begin();
    while ((dice -= chosen->weight) >= 0) ++chosen;
    faults.push_back(run_one(*chosen, some_time(100, 6000)));
    left.erase(chosen);
  }
  for (auto& done : co_await when_all(std::move(faults))) CO_TRY(std::move(done));
  co_return Result<>{};
}

Task<> Faults::run_one(Kind kind, Duration after) {
  CO_TRY(co_await array_.clock.sleep_for(after));
  array_.trace.note("fault: {}", kind.name);
  const bool struck = CO_TRY(co_await (this->*kind.fault)());
  array_.trace.note("fault over: {}", kind.name);
  if (struck || !kind.avoidable) names_.emplace_back(kind.name);
  if (struck) {
    ++fired_;
  } else if (kind.avoidable) {
    array_.trace.note("the fault '{}' did not strike: another one does", kind.name);
    co_return co_await run_one({"a dead blade", &Faults::kill_blade, 0, false}, {});
  } else {
    array_.trace.complain("the fault '{}' never struck", kind.name);
  }
  co_return Result<>{};
}

void Faults::end_all() {
  link_ = {};
  link_.delay_min = std::chrono::microseconds(50);
  link_.delay_max = std::chrono::microseconds(300);
  apply_link_faults();
  array_.network.heal();
  for (SimArray::Blade* blade : array_.blades()) blade->disk.faults = {};
}

Task<bool> Faults::wait_until_grown(const uint64_t& counter, uint64_t by) {
  const uint64_t before = counter;
  const TimePoint end = array_.clock.now() + kStrikeTimeMax;
  while (counter < before + by && array_.clock.now() < end) {
    CO_TRY(co_await array_.clock.sleep_for(kPoll));
  }
  co_return counter >= before + by;
}

// --- deaths ----------------------------------------------------------------------------------

io::CrashLoss Faults::some_loss() {
  static constexpr io::CrashLoss kLosses[] = {io::CrashLoss::nothing, io::CrashLoss::everything,
                                              io::CrashLoss::random_subset, io::CrashLoss::torn};
  return kLosses[rng_.below(4)];
}

void Faults::start_again(SimArray::Blade& blade) {
  if (!blade.process) array_.start_blade(blade);
}

Task<bool> Faults::kill_blade() {
  SimArray::Blade& blade = some_blade();
  while (!blade.process) CO_TRY(co_await array_.clock.sleep_for(kPoll));
  array_.kill_blade(blade, some_loss());
  CO_TRY(co_await array_.clock.sleep_for(some_time(50, 6000)));
  start_again(blade);
  co_return true;
}

// Power fails at the start of one of the next I/Os, so that others are unsynced or under way.
Task<bool> Faults::cut_power_in_io() {
  SimArray::Blade& blade = some_blade();
  const uint64_t before = blade.disk.counters().crashes;
  blade.disk.faults.crash_loss = some_loss();
  blade.disk.faults.crash_io = blade.disk.io_count() + 1 + rng_.below(40);
  const TimePoint latest = array_.clock.now() + kStrikeTimeMax;
  while (blade.disk.counters().crashes == before && array_.clock.now() < latest) {
    CO_TRY(co_await array_.clock.sleep_for(std::chrono::microseconds(200)));
  }
  array_.kill_blade(blade, io::CrashLoss::nothing);  // no power, no process
  CO_TRY(co_await array_.clock.sleep_for(some_time(50, 4000)));
  start_again(blade);
  co_return blade.disk.counters().crashes > before;
}

Task<bool> Faults::cut_power_everywhere() {
  const auto runs = [](const SimArray::Blade* blade) { return blade->process != nullptr; };
  while (!std::ranges::any_of(array_.blades(), runs)) {
    CO_TRY(co_await array_.clock.sleep_for(kPoll));
  }
  uint64_t killed = 0;
  for (SimArray::Blade* blade : array_.blades()) {
    if (blade->process) ++killed;
    array_.kill_blade(*blade, some_loss());
  }
  if (rng_.chance(1, 2)) array_.kill_manager();
  CO_TRY(co_await array_.clock.sleep_for(some_time(50, 3000)));
  if (!array_.manager_runs()) array_.start_manager();
  for (SimArray::Blade* blade : array_.blades()) {
    start_again(*blade);
    CO_TRY(co_await array_.clock.sleep_for(some_time(1, 200)));
  }
  co_return killed > 0;
}

// They acknowledge at different times, all lose power at once, and come back one after another.
Task<bool> Faults::cut_power_of_slow_blades() {
  std::vector<SimArray::Blade*> chosen = array_.blades();
  const uint64_t count = 3 + rng_.below(4);
  const auto runs = [](const SimArray::Blade* blade) { return blade->process != nullptr; };
  while (!std::ranges::any_of(chosen, runs)) CO_TRY(co_await array_.clock.sleep_for(kPoll));
  while (chosen.size() > count) {
    chosen.erase(chosen.begin() + static_cast<int64_t>(rng_.below(chosen.size())));
  }
  for (SimArray::Blade* blade : chosen) blade->disk.faults.extra_delay = some_time(0, 80);
  CO_TRY(co_await array_.clock.sleep_for(some_time(200, 1500)));
  uint64_t killed = 0;
  std::vector<Task<>> returns;
  for (SimArray::Blade* blade : chosen) {
    if (blade->process) ++killed;
    array_.kill_blade(*blade, rng_.chance(1, 2) ? io::CrashLoss::everything : some_loss());
    blade->disk.faults.extra_delay = {};
    returns.push_back(
        start_after(*blade, rng_.chance(1, 2) ? some_time(50, 1500) : some_time(1500, 9000)));
  }
  for (auto& done : co_await when_all(std::move(returns))) CO_TRY(std::move(done));
  co_return killed > 0;
}

// All replicas of a partition lose their power and what they had not flushed; the one whose device
// was the slowest comes back long before the others and has to lead alone.
Task<bool> Faults::cut_power_of_partition() {
  const cluster::MapPtr map = array_.manager_map();
  if (map == nullptr || map->partition_count() == 0) co_return false;
  const PartitionId id(static_cast<uint32_t>(rng_.below(map->partition_count())));
  const proto::Partition& partition = *map->partition(id);
  if (partition.replicas_size() < 2) co_return false;
  std::vector<SimArray::Blade*> members;
  SimArray::Blade* slow = nullptr;
  for (const uint32_t number : partition.replicas()) {
    members.push_back(&array_.blade(number));
    if (number != partition.primary()) slow = members.back();
  }
  slow->disk.faults.extra_delay = some_time(20, 120);
  CO_TRY(co_await array_.clock.sleep_for(some_time(200, 2000)));
  uint64_t killed = 0;
  std::vector<Task<>> returns;
  for (SimArray::Blade* blade : members) {
    if (blade->process) ++killed;
    array_.kill_blade(*blade, io::CrashLoss::everything);
    blade->disk.faults.extra_delay = {};
    returns.push_back(
        start_after(*blade, blade == slow ? some_time(20, 200) : some_time(3000, 8000)));
  }
  for (auto& done : co_await when_all(std::move(returns))) CO_TRY(std::move(done));
  co_return killed > 0;
}

Task<> Faults::start_after(SimArray::Blade& blade, Duration time) {
  CO_TRY(co_await array_.clock.sleep_for(time));
  start_again(blade);
  co_return Result<>{};
}

// Nobody can take a dead blade's place, until there is a manager again.
Task<bool> Faults::kill_manager_for_long() {
  while (!array_.manager_runs()) CO_TRY(co_await array_.clock.sleep_for(kPoll));
  const TimePoint back = array_.clock.now() + some_time(4000, 45'000);
  array_.kill_manager();
  CO_TRY(co_await array_.clock.sleep_for(some_time(10, 3000)));
  SimArray::Blade& blade = some_blade();
  array_.kill_blade(blade, some_loss());
  if (rng_.chance(1, 2)) {
    CO_TRY(co_await array_.clock.sleep_for(some_time(50, 20'000)));
    start_again(blade);
  }
  while (array_.clock.now() < back) {
    // Another fault may have started one.
    array_.kill_manager();
    CO_TRY(co_await array_.clock.sleep_for(kPoll));
  }
  if (!array_.manager_runs()) array_.start_manager();
  CO_TRY(co_await array_.clock.sleep_for(some_time(50, 3000)));
  start_again(blade);
  co_return true;
}

Task<bool> Faults::kill_manager() {
  while (!array_.manager_runs()) CO_TRY(co_await array_.clock.sleep_for(kPoll));
  array_.kill_manager();
  CO_TRY(co_await array_.clock.sleep_for(some_time(10, 5000)));
  if (!array_.manager_runs()) array_.start_manager();
  co_return true;
}

// The store is lost and comes back from a backup while the blades go on. Other faults, which move
// primaries meanwhile, make the backup an old one.
Task<bool> Faults::restore_store() {
  const cluster::ConfigBackup backup = CO_TRY(co_await array_.back_up_store());
  CO_TRY(co_await array_.clock.sleep_for(some_time(10, 15'000)));
  array_.kill_manager();
  if (rng_.chance(1, 2)) {
    SimArray::Blade& blade = some_blade();
    array_.kill_blade(blade, some_loss());
  }
  CO_TRY(co_await array_.clock.sleep_for(some_time(10, 3000)));
  array_.kill_manager();  // another fault may have started one
  CO_TRY(co_await array_.restore_store(backup));
  const auto restoring = [this] {
    const cluster::MapPtr map = array_.manager_map();
    return map == nullptr || !map->record().restoring().empty();
  };
  while (restoring()) {
    if (!array_.manager_runs()) array_.start_manager();
    CO_TRY(co_await array_.clock.sleep_for(some_time(10, 1500)));
    // As a supervisor does: those that were refused, and those that another fault has killed.
    for (SimArray::Blade* blade : array_.blades()) {
      if (rng_.chance(1, 2)) start_again(*blade);
    }
  }
  co_return true;
}

Task<bool> Faults::kill_gateway() {
  const auto index = static_cast<uint32_t>(rng_.below(kGateways));
  while (!array_.gateway_runs(index)) CO_TRY(co_await array_.clock.sleep_for(kPoll));
  array_.kill_gateway(index);
  CO_TRY(co_await array_.clock.sleep_for(some_time(10, 3000)));
  if (!array_.gateway_runs(index)) array_.start_gateway(index);
  co_return true;
}

// --- devices ---------------------------------------------------------------------------------

std::vector<io::ByteRange> Faults::shards_of(SimArray::Blade& blade) {
  std::vector<io::ByteRange> found;
  if (!blade.serves()) return found;
  const uint64_t area = array_.chunk_area().offset;
  const auto rows = blade.process->kv->scan(chunk::first_shard_key(), chunk::end_shard_key());
  for (; rows->valid(); rows->next()) {
    proto::ShardIndexRecord record;
    if (!record.ParseFromString(std::string(rows->value()))) continue;
    found.push_back({area + record.device_offset(), record.bytes()});
  }
  return found;
}

Task<bool> Faults::rot_bits() {
  SimArray::Blade& blade = damaged_blade();
  const TimePoint latest = array_.clock.now() + kStrikeTimeMax;
  std::vector<io::ByteRange> shards = shards_of(blade);
  while (shards.empty() && array_.clock.now() < latest) {
    CO_TRY(co_await array_.clock.sleep_for(kPoll));
    shards = shards_of(blade);
  }
  if (shards.empty()) co_return false;
  const uint64_t flips = 1 + rng_.below(8);
  for (uint64_t i = 0; i < flips; ++i) {
    const io::ByteRange& shard = shards[rng_.below(shards.size())];
    blade.disk.flip_bit(shard.offset + rng_.below(shard.size), static_cast<int>(rng_.below(8)));
  }
  array_.trace.note("{} bits of {} flip", flips, blade.name);
  co_return true;
}

Task<bool> Faults::spoil_writes(uint32_t io::SimFaults::* ppm,
                                uint64_t io::SimFaultCounters::* counter, uint32_t value) {
  SimArray::Blade& blade = damaged_blade();
  array_.trace.note("writes of {} go wrong", blade.name);
  const uint64_t before = blade.disk.counters().*counter;
  blade.disk.faults.silent_range = array_.chunk_area();
  blade.disk.faults.*ppm = value;
  CO_TRY(co_await array_.clock.sleep_for(some_time(200, 3000)));
  if (blade.disk.counters().*counter == before) {
    CO_TRY(co_await wait_until_grown(blade.disk.counters().*counter));
  }
  blade.disk.faults.*ppm = 0;
  co_return blade.disk.counters().*counter > before;
}

Task<bool> Faults::lose_writes() {
  return spoil_writes(&io::SimFaults::lost_write_ppm, &io::SimFaultCounters::lost_writes,
                      kMillion / 3);
}

Task<bool> Faults::misdirect_writes() {
  return spoil_writes(&io::SimFaults::misdirected_write_ppm,
                      &io::SimFaultCounters::misdirected_writes, kMillion / 3);
}

Task<bool> Faults::flip_written_bits() {
  return spoil_writes(&io::SimFaults::flipped_write_ppm, &io::SimFaultCounters::flipped_bits,
                      kMillion / 3);
}

Task<bool> Faults::hide_sectors() {
  SimArray::Blade& blade = damaged_blade();
  array_.trace.note("nothing can be read of the chunks of {}", blade.name);
  const uint64_t before = blade.disk.counters().unreadable_reads;
  blade.disk.faults.unreadable = {array_.chunk_area()};
  CO_TRY(co_await array_.clock.sleep_for(some_time(500, 4000)));
  if (blade.disk.counters().unreadable_reads == before) {
    CO_TRY(co_await wait_until_grown(blade.disk.counters().unreadable_reads));
  }
  blade.disk.faults.unreadable = {};
  co_return blade.disk.counters().unreadable_reads > before;
}

Task<bool> Faults::wipe_chunk_area() {
  SimArray::Blade& blade = damaged_blade();
  const TimePoint latest = array_.clock.now() + kStrikeTimeMax;
  while (shards_of(blade).empty() && array_.clock.now() < latest) {
    CO_TRY(co_await array_.clock.sleep_for(kPoll));
  }
  const bool struck = !shards_of(blade).empty();
  const io::ByteRange area = array_.chunk_area();
  blade.disk.wipe(area.offset, area.size);
  array_.trace.note("the chunk area of {} is wiped", blade.name);
  co_return struck;
}

// A write or flush that fails ends its process: never retry an fsync.
Task<bool> Faults::fail_a_write() {
  SimArray::Blade& blade = some_blade();
  const uint64_t before = blade.disk.counters().failed_ios;
  (rng_.chance(1, 2) ? blade.disk.faults.fail_writes : blade.disk.faults.fail_flushes) = true;
  const bool failed = CO_TRY(co_await wait_until_grown(blade.disk.counters().failed_ios));
  const TimePoint latest = array_.clock.now() + kStrikeTimeMax;
  while (blade.process && array_.clock.now() < latest) {
    CO_TRY(co_await array_.clock.sleep_for(kPoll));
  }
  if (blade.process && failed && blade.disk.counters().failed_ios > before) {
    array_.trace.complain("{} goes on although its device has failed", blade.name);
    array_.kill_blade(blade, io::CrashLoss::nothing);
  }
  CO_TRY(co_await array_.clock.sleep_for(some_time(50, 3000)));
  start_again(blade);
  co_return failed;
}

// Space is asked for when a slab is first used, so the blade starts anew.
Task<bool> Faults::fill_device() {
  SimArray::Blade& blade = some_blade();
  const uint64_t before = blade.disk.counters().full;
  blade.disk.faults.full = true;
  array_.kill_blade(blade, io::CrashLoss::everything);
  CO_TRY(co_await array_.clock.sleep_for(some_time(10, 500)));
  start_again(blade);
  CO_TRY(co_await array_.clock.sleep_for(some_time(500, 3000)));
  if (blade.disk.counters().full == before) {
    CO_TRY(co_await wait_until_grown(blade.disk.counters().full));
  }
  blade.disk.faults.full = false;
  co_return blade.disk.counters().full > before;
}

Task<bool> Faults::slow_blade() {
  SimArray::Blade& blade = some_blade();
  const uint64_t before = blade.disk.counters().slow_ios;
  blade.disk.faults.extra_delay = some_time(5, 400);
  array_.trace.note("{} is slow", blade.name);
  CO_TRY(co_await array_.clock.sleep_for(some_time(500, 4000)));
  if (blade.disk.counters().slow_ios == before) {
    CO_TRY(co_await wait_until_grown(blade.disk.counters().slow_ios));
  }
  blade.disk.faults.extra_delay = {};
  co_return blade.disk.counters().slow_ios > before;
}

}  // namespace turbine::sim
