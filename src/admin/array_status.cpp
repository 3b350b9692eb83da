#include "admin/array_status.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace turbine::admin {

namespace {

bool evacuated(const proto::Blade& blade) {
  return blade.state() == proto::BLADE_EVACUATED;
}

std::vector<uint32_t> dead_blades(const cluster::ClusterMap& map) {
  std::vector<uint32_t> dead;
  for (const proto::Blade& blade : map.record().blades()) {
    if (!evacuated(blade) && !map.alive(BladeId(blade.id()))) dead.push_back(blade.id());
  }
  return dead;
}

std::vector<uint32_t> suspect_blades(const cluster::ClusterMap& map) {
  std::vector<uint32_t> suspect;
  for (const proto::Blade& blade : map.record().blades()) {
    if (blade.state() == proto::BLADE_SUSPECT) suspect.push_back(blade.id());
  }
  return suspect;
}

void count_blades(const cluster::ClusterMap& map, ArrayStatus& status) {
  for (const proto::Blade& blade : map.record().blades()) {
    if (evacuated(blade)) continue;
    ++status.blades_total;
    status.capacity_bytes += blade.capacity_bytes();
    status.used_bytes += blade.used_bytes();
    if (!map.alive(BladeId(blade.id()))) continue;
    ++status.blades_alive;
    if (blade.state() == proto::BLADE_SUSPECT) ++status.blades_suspect;
    if (blade.full()) ++status.blades_full;
  }
}

void add_reports(const std::vector<BladeReport>& reports, ArrayStatus& status) {
  for (const BladeReport& report : reports) {
    for (const proto::PartitionStats& partition : report.heartbeat.partitions()) {
      status.object_count += partition.object_count();
      status.object_bytes += partition.object_bytes();
      status.small_bytes += partition.small_bytes();
      status.striped_bytes += partition.striped_bytes();
      status.degraded_stripes += partition.degraded_stripes();
      status.lost_stripes += partition.lost_stripes();
    }
    const proto::RepairStats& repair = report.heartbeat.repair();
    proto::RepairStats& sum = status.repair;
    sum.set_stripes_waiting(sum.stripes_waiting() + repair.stripes_waiting());
    sum.set_stripes_repaired(sum.stripes_repaired() + repair.stripes_repaired());
    sum.set_bytes_repaired(sum.bytes_repaired() + repair.bytes_repaired());
    sum.set_checksum_errors(sum.checksum_errors() + repair.checksum_errors());
    sum.set_quarantined_shards(sum.quarantined_shards() + repair.quarantined_shards());
  }
}

void count_partitions(const cluster::ClusterMap& map, ArrayStatus& status) {
  status.partitions_total = map.partition_count();
  size_t least = SIZE_MAX;
  for (uint32_t i = 0; i < map.partition_count(); ++i) {
    const size_t live = map.live_replicas(PartitionId(i));
    const auto wanted = static_cast<size_t>(map.partition(PartitionId(i))->wanted_size());
    least = std::min(least, live);
    status.replicas_wanted = std::max(status.replicas_wanted, static_cast<uint32_t>(wanted));
    if (live == 0) {
      status.partitions_unavailable.push_back(i);
      continue;
    }
    if (live == 1 && wanted > 1) ++status.partitions_at_risk;
    if (live < wanted) ++status.partitions_recruiting;
  }
  const bool spare = map.partition_count() > 0 && least > 0;
  status.metadata_tolerance = spare ? static_cast<int>(least) - 1 : 0;
}

/// Parity of what was written while all known blades lived: older stripes have at least the
/// widest layout's, so the largest m counts, and not that of the narrow layout of a bad day.
uint32_t full_parity(const cluster::ClusterMap& map) {
  uint32_t parity = 0;
  for (const proto::Layout& layout : map.record().layouts()) {
    parity = std::max(parity, layout.parity_count());
  }
  return parity;
}

ArrayState judge(const ArrayStatus& status, uint32_t dead, uint32_t parity) {
  if (status.blades_total == 0) return ArrayState::healthy;
  if (status.blades_alive == 0 || status.lost_stripes > 0 || dead > parity ||
      !status.partitions_unavailable.empty()) {
    return ArrayState::unavailable;
  }
  if ((dead > 0 && status.data_tolerance == 0) || status.partitions_at_risk > 0) {
    return ArrayState::at_risk;
  }
  if (dead > 0 || status.blades_suspect > 0 || status.degraded_stripes > 0 ||
      status.partitions_recruiting > 0) {
    return ArrayState::degraded;
  }
  return ArrayState::healthy;
}

/// "`turbine blade start 2 --dir DIR`, `turbine blade start 5 --dir DIR`"
std::string start_commands(const std::vector<uint32_t>& blades) {
  std::string commands;
  for (const uint32_t blade : blades) {
    fmt::format_to(std::back_inserter(commands), "{}`turbine blade start {} --dir DIR`",
                   commands.empty() ? "" : ", ", blade);
  }
  return commands;
}

/// "3, 8, 11" of few; of many the first ones and how many more.
std::string names_of(const std::vector<uint32_t>& partitions) {
  constexpr size_t kNamesMax = 8;
  if (partitions.size() <= kNamesMax) return fmt::format("{}", fmt::join(partitions, ", "));
  return fmt::format("{} and {} more",
                     fmt::join(partitions.begin(), partitions.begin() + kNamesMax, ", "),
                     partitions.size() - kNamesMax);
}

/// What may still be lost: of data, and of names where that is less and they have replicas.
std::string describe_tolerance(const ArrayStatus& status, size_t dead, uint32_t parity) {
  if (dead > parity) {
    return fmt::format(
        "{} dead blades are more than the {} that data survives: a part of it can't "
        "be read until one is back",
        dead, parity);
  }
  std::string can;
  if (status.data_tolerance == 0) {
    can = "No further blade may be lost without losing data";
  } else {
    can = fmt::format("{} more {} may be lost without losing data", status.data_tolerance,
                      status.data_tolerance == 1 ? "blade" : "blades");
  }
  if (status.replicas_wanted > 1 && status.partitions_unavailable.empty() &&
      status.metadata_tolerance < status.data_tolerance) {
    can += fmt::format(", {} without losing names", status.metadata_tolerance);
  }
  return can;
}

/// "; 3 of 64 metadata partitions (1, 7, 9) have no live replica and answer 503", and the like.
std::string describe_partitions(const ArrayStatus& status) {
  std::string text;
  const auto add = [&text]<class... Args>(fmt::format_string<Args...> format, Args&&... args) {
    text += "; " + fmt::format(format, std::forward<Args>(args)...);
  };
  if (const size_t count = status.partitions_unavailable.size(); count > 0) {
    add("{} of {} metadata partitions ({}) have no live replica and answer 503", count,
        status.partitions_total, names_of(status.partitions_unavailable));
  }
  if (status.partitions_at_risk > 0) {
    add("{} have one live replica left", status.partitions_at_risk);
  }
  if (status.partitions_recruiting == 1) add("1 partition is recruiting a replica");
  if (status.partitions_recruiting > 1) {
    add("{} partitions are recruiting a replica", status.partitions_recruiting);
  }
  return text;
}

std::string advise(const ArrayStatus& status, const std::vector<uint32_t>& dead,
                   const std::vector<uint32_t>& suspect, uint32_t parity,
                   const std::string& restoring) {
  if (!restoring.empty()) {
    return fmt::format("This array was {}{}{}.", restoring, dead.empty() ? "" : ": run ",
                       start_commands(dead));
  }
  if (status.blades_total == 0) return "No blade has registered yet: look at the blades' logs.";
  const std::string can =
      describe_tolerance(status, dead.size(), parity) + describe_partitions(status);
  if (!dead.empty()) return fmt::format("{}: run {}.", can, start_commands(dead));
  if (status.lost_stripes > 0) {
    return fmt::format("{} stripes have lost more shards than they can: restore those objects.",
                       status.lost_stripes);
  }
  if (!suspect.empty()) {
    return fmt::format(
        "{}; blade {} has found damage in its metadata{}: look at its log, and compare its "
        "objects with their sources.",
        can, fmt::join(suspect, ", "),
        status.replicas_wanted > 1 ? "" : ", of which there is one copy");
  }
  if (status.blades_full > 0) {
    return fmt::format("{}; {} blades are full and refuse new data: delete objects.", can,
                       status.blades_full);
  }
  if (status.parity_count == 0) return "No protection: add blades, two at least.";
  if (status.partitions_recruiting > 0) return can + ": wait.";
  if (status.replicas_wanted > 1) return can + "; nothing to do.";
  return fmt::format("{} (metadata has one copy: keep every blade's disk); nothing to do.", can);
}

}  // namespace

double ArrayStatus::striped_fraction() const {
  const uint64_t all = small_bytes + striped_bytes;
  return all == 0 ? 1.0 : static_cast<double>(striped_bytes) / static_cast<double>(all);
}

std::string_view array_state_name(ArrayState state) {
  switch (state) {
    case ArrayState::healthy:
      return "healthy";
    case ArrayState::degraded:
      return "degraded";
    case ArrayState::at_risk:
      return "at_risk";
    case ArrayState::unavailable:
      return "unavailable";
  }
  return "unknown";
}

std::string_view blade_state_name(proto::BladeState state) {
  switch (state) {
    case proto::BLADE_JOINING:
      return "joining";
    case proto::BLADE_HEALTHY:
      return "healthy";
    case proto::BLADE_SUSPECT:
      return "suspect";
    case proto::BLADE_DEAD:
      return "dead";
    case proto::BLADE_DRAINING:
      return "draining";
    case proto::BLADE_EVACUATED:
      return "evacuated";
    default:
      return "unknown";
  }
}

ArrayStatus array_status(const cluster::ClusterMap& map, const std::vector<BladeReport>& reports) {
  ArrayStatus status;
  count_blades(map, status);
  add_reports(reports, status);
  if (const proto::Layout* layout = map.preferred_layout()) {
    status.data_count = layout->data_count();
    status.parity_count = layout->parity_count();
  }
  const uint32_t width = status.data_count + status.parity_count;
  status.usable_bytes = width == 0 ? 0 : status.capacity_bytes / width * status.data_count;
  count_partitions(map, status);
  const std::vector<uint32_t> dead = dead_blades(map);
  const uint32_t parity = full_parity(map);
  status.data_tolerance = std::max(0, static_cast<int>(parity) - static_cast<int>(dead.size()));
  status.state = judge(status, static_cast<uint32_t>(dead.size()), parity);
  status.advice = advise(status, dead, suspect_blades(map), parity, map.record().restoring());
  return status;
}

}  // namespace turbine::admin
