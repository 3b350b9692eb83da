#include "cluster/restoration.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/log.hpp"
#include "cluster/map_record.hpp"

namespace turbine::cluster {
namespace {

/// Where the clock is not to be trusted: more than was given since any backup.
constexpr uint64_t kNumbersSince = uint64_t{1} << 32;

/// Fewer than one of them a millisecond is given over an array's life, so the clock is ahead of
/// all, and of those that an earlier restoration of the same backup gave.
uint64_t beyond(uint64_t given, uint64_t now_ms) {
  return std::max(given + kNumbersSince, now_ms);
}

struct Told {
  uint32_t blade = 0;
  uint64_t process = 0;
  bool damaged = false;
  uint64_t term = 0, lsn = 0;
  auto place() const { return std::pair(term, lsn); }
};

std::set<uint32_t> awaited_blades(const proto::ClusterMap& map,
                                  const proto::Restoration& restoration) {
  std::set<uint32_t> awaited;
  for (const proto::Blade& blade : map.blades()) {
    if (blade.state() != proto::BLADE_EVACUATED) awaited.insert(blade.id());
  }
  for (const uint32_t lost : restoration.lost_blades()) awaited.erase(lost);
  for (const proto::BladeLogs& report : restoration.reports()) awaited.erase(report.blade());
  return awaited;
}

/// The logs of each partition that hold anything.
std::map<uint32_t, std::vector<Told>> logs_by_partition(const proto::Restoration& restoration) {
  std::map<uint32_t, std::vector<Told>> logs;
  for (const proto::BladeLogs& report : restoration.reports()) {
    for (const proto::ReplicaLog& log : report.logs()) {
      if (log.last_lsn() == 0) continue;
      logs[log.partition()].push_back(
          {report.blade(), report.process(), report.damaged(), log.last_term(), log.last_lsn()});
    }
  }
  return logs;
}

/// Those that have everything. A damaged one counts only where no sound one has as much.
std::vector<uint32_t> complete_replicas(const std::vector<Told>& logs) {
  const auto best = std::ranges::max(logs, {}, &Told::place).place();
  std::vector<uint32_t> sound, damaged;
  for (const Told& told : logs) {
    if (told.place() == best) (told.damaged ? damaged : sound).push_back(told.blade);
  }
  return sound.empty() ? damaged : sound;
}

/// Nobody holds an entry of the partition. With all blades there it is empty; else the lost ones
/// may have it, and only they are in sync.
std::vector<uint32_t> replicas_of_nothing(const proto::Restoration& restoration,
                                          const proto::Partition& recorded) {
  std::vector<uint32_t> lost;
  for (const uint32_t blade : recorded.replicas()) {
    if (std::ranges::find(restoration.lost_blades(), blade) != restoration.lost_blades().end()) {
      lost.push_back(blade);
    }
  }
  if (!lost.empty()) return lost;
  if (recorded.replicas().empty()) return {recorded.primary()};
  return {recorded.replicas().begin(), recorded.replicas().end()};
}

uint32_t primary_among(const proto::ClusterMap& map, const proto::Partition& recorded,
                       const std::vector<uint32_t>& replicas) {
  const auto may_lead = [&](uint32_t id) {
    const proto::Blade* blade = find_blade(map, id);
    return std::ranges::find(replicas, id) != replicas.end() && blade != nullptr &&
           is_up(blade->state());
  };
  if (may_lead(recorded.primary())) return recorded.primary();
  const auto up = std::ranges::find_if(replicas, may_lead);
  return up == replicas.end() ? replicas.front() : *up;
}

/// What an operator who gave blades up has to know.
void tell_of_loss(const proto::Restoration& restoration, int partition,
                  const proto::Partition& recorded, const std::vector<uint32_t>& replicas) {
  const auto was_in_sync = [&recorded](uint32_t blade) {
    return std::ranges::find(recorded.replicas(), blade) != recorded.replicas().end();
  };
  if (std::ranges::any_of(replicas, was_in_sync)) return;
  for (const uint32_t lost : restoration.lost_blades()) {
    if (!was_in_sync(lost)) continue;
    log::error(
        "partition {}: blade {} was in sync and is given up; what the others, led by blade "
        "{}, lack of it is lost",
        partition, lost, replicas.front());
  }
}

/// What can't be compared with the logs of others.
Result<> check_logs(const proto::ClusterMap& map, const proto::RegisterBladeRequest& request,
                    uint32_t blade) {
  for (const proto::ReplicaLog& log : request.logs()) {
    if (log.partition() >= static_cast<uint32_t>(map.partitions_size())) {
      return fail(Errc::denied,
                  "blade {} holds partition {}, the backup that was restored knows {} partitions: "
                  "restore the backup of this array",
                  blade, log.partition(), map.partitions_size());
    }
    if (log.last_lsn() > 0 && log.last_term() == 0) {
      return fail(Errc::denied,
                  "blade {} does not know the term of its last entry of partition {}: its metadata "
                  "is damaged; give the blade up (--lost-blade {}) to restore without it",
                  blade, log.partition(), blade);
    }
  }
  return {};
}

}  // namespace

Result<> begin_restoration(proto::ClusterMap& map, proto::ArrayCounters& counters,
                           uint64_t backup_ms, uint64_t now_ms,
                           const std::vector<uint32_t>& lost_blades) {
  if (map.partitions().empty()) {
    return fail(Errc::invalid,
                "the backup was made before the array was complete: it knows no partitions, and "
                "with it the blades' data would be forgotten; restore a later backup");
  }
  proto::Restoration restoration;
  restoration.set_backup_ms(backup_ms);
  for (const uint32_t lost : lost_blades) {
    if (find_blade(map, lost) == nullptr) {
      return fail(Errc::invalid, "there is no blade {} in the backup to be given up", lost);
    }
    restoration.add_lost_blades(lost);
  }
  // A backup that was made while another one was being restored has them there.
  *restoration.mutable_partitions() =
      counters.has_restoration() ? counters.restoration().partitions() : map.partitions();
  uint64_t term = 0;
  for (const proto::Partition& partition : restoration.partitions()) {
    term = std::max(term, partition.term());
  }
  for (const proto::Partition& partition : map.partitions())
    term = std::max(term, partition.term());
  term = beyond(term, now_ms);
  for (proto::Partition& partition : *map.mutable_partitions()) {
    partition.set_primary(0);
    partition.clear_replicas();
    partition.set_term(term);
  }
  for (proto::Blade& blade : *map.mutable_blades()) {
    blade.set_session(0);
    blade.set_process(0);
    if (!is_up(blade.state())) continue;
    blade.set_state(proto::BLADE_DEAD);
    blade.set_state_since_ms(now_ms);
  }
  map.set_epoch(beyond(map.epoch(), now_ms));
  counters.set_next_session(beyond(counters.next_session(), now_ms));
  counters.set_next_user(beyond(counters.next_user(), now_ms));
  *counters.mutable_restoration() = std::move(restoration);
  (void)try_end_restoration(map, counters);
  return {};
}

Result<> take_logs(proto::ClusterMap& map, proto::ArrayCounters& counters,
                   const proto::RegisterBladeRequest& request, uint32_t blade) {
  proto::Restoration& restoration = *counters.mutable_restoration();
  const uint64_t process =
      request.processes().empty() ? 0 : request.processes(request.processes_size() - 1);
  auto& reports = *restoration.mutable_reports();
  const auto told = std::ranges::find(reports, blade, &proto::BladeLogs::blade);
  if (!request.starting()) {
    // The same process again, under a map that lets nobody act: what it told still holds.
    if (process != 0 && told != reports.end() && told->process() == process) return {};
    return fail(Errc::denied,
                "array {} is being restored from a backup, and blade {} was running before: its "
                "process ends and must be started again, to tell what it holds",
                map.array_id(), blade);
  }
  TRY(check_logs(map, request, blade));
  proto::BladeLogs& report = told != reports.end() ? *told : *reports.Add();
  report.set_blade(blade);
  report.set_process(process);
  report.set_damaged(request.damaged());
  *report.mutable_logs() = request.logs();
  return {};
}

bool try_end_restoration(proto::ClusterMap& map, proto::ArrayCounters& counters) {
  const proto::Restoration& restoration = counters.restoration();
  const std::set<uint32_t> awaited = awaited_blades(map, restoration);
  if (!awaited.empty()) {
    map.set_restoring(fmt::format(
        "restored from a backup: nobody leads before blade {} has started and told what it holds",
        fmt::join(awaited, ", ")));
    return false;
  }
  const auto logs = logs_by_partition(restoration);
  int moved = 0;
  for (int p = 0; p < map.partitions_size(); ++p) {
    proto::Partition& partition = *map.mutable_partitions(p);
    const proto::Partition& recorded = restoration.partitions(p);
    const auto held = logs.find(static_cast<uint32_t>(p));
    const std::vector<uint32_t> replicas = held == logs.end()
                                               ? replicas_of_nothing(restoration, recorded)
                                               : complete_replicas(held->second);
    tell_of_loss(restoration, p, recorded, replicas);
    uint64_t term = partition.term();
    if (held != logs.end()) {
      term = std::max(term, std::ranges::max(held->second, {}, &Told::term).term);
    }
    partition.set_primary(primary_among(map, recorded, replicas));
    *partition.mutable_replicas() = {replicas.begin(), replicas.end()};
    partition.set_term(term + 1);
    const std::set<uint32_t> before(recorded.replicas().begin(), recorded.replicas().end());
    if (before != std::set<uint32_t>(replicas.begin(), replicas.end())) ++moved;
  }
  log::warn(
      "the restoration has ended: {} of {} partitions have other replicas in sync than the "
      "backup says",
      moved, map.partitions_size());
  map.clear_restoring();
  counters.clear_restoration();
  return true;
}

}  // namespace turbine::cluster
