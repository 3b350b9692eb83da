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
  if (status.blades_alive == 0 || status.lost_stripes > 0 || dead > parity) {
    return dead == 0 && status.lost_stripes == 0 ? ArrayState::healthy : ArrayState::unavailable;
  }
  if (dead > 0 && status.data_tolerance == 0) return ArrayState::at_risk;
  if (dead > 0 || status.blades_suspect > 0 || status.degraded_stripes > 0 ||
      status.partitions_unavailable > 0) {
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

std::string advise(const ArrayStatus& status, const std::vector<uint32_t>& dead,
                   const std::vector<uint32_t>& suspect, uint32_t parity) {
  if (status.blades_total == 0) return "No blade has registered yet: look at the blades' logs.";
  std::string can;
  if (dead.size() > parity) {
    can = fmt::format(
        "{} dead blades are more than the {} that data survives: a part of it can't "
        "be read until one is back",
        dead.size(), parity);
  } else if (status.data_tolerance == 0) {
    can = "No further blade may be lost without losing data";
  } else if (status.data_tolerance == 1) {
    can = "1 more blade may be lost without losing data";
  } else {
    can = fmt::format("{} more blades may be lost without losing data", status.data_tolerance);
  }
  if (!dead.empty()) {
    const bool one = dead.size() == 1;
    return fmt::format("{}; {} of {} metadata partitions answer 503 until {}: run {}.", can,
                       status.partitions_unavailable, status.partitions_total,
                       one ? "the dead blade is back" : "the dead blades are back",
                       start_commands(dead));
  }
  if (status.lost_stripes > 0) {
    return fmt::format("{} stripes have lost more shards than they can: restore those objects.",
                       status.lost_stripes);
  }
  if (!suspect.empty()) {
    return fmt::format(
        "{}; blade {} has found damage in its metadata, of which there is one copy: look at its "
        "log, and compare its objects with their sources.",
        can, fmt::join(suspect, ", "));
  }
  if (status.blades_full > 0) {
    return fmt::format("{}; {} blades are full and refuse new data: delete objects.", can,
                       status.blades_full);
  }
  if (status.parity_count == 0) return "No protection: add blades, two at least.";
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
  status.partitions_total = map.partition_count();
  for (uint32_t i = 0; i < map.partition_count(); ++i) {
    if (!map.alive(map.primary(PartitionId(i)))) ++status.partitions_unavailable;
  }
  const std::vector<uint32_t> dead = dead_blades(map);
  const uint32_t parity = full_parity(map);
  status.data_tolerance = std::max(0, static_cast<int>(parity) - static_cast<int>(dead.size()));
  status.state = judge(status, static_cast<uint32_t>(dead.size()), parity);
  status.advice = advise(status, dead, suspect_blades(map), parity);
  return status;
}

}  // namespace turbine::admin
