#include "sim/replica_check.hpp"

#include "meta/keys.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::sim {
namespace {

using Row = std::pair<std::string, std::string>;

/// Without the slot; the place in the blade's own journal is left out.
std::vector<Row> rows_of(kv::Kv& kv, const replica::Replica& replica) {
  std::vector<Row> rows;
  const auto [first, end] = replica.machine()->rows();
  for (const auto it = kv.scan(first, end); it->valid(); it->next()) {
    Row row(it->key().substr(2), it->value());
    if (static_cast<meta::Kind>(row.first[0]) == meta::Kind::state) {
      proto::PartitionState state;
      CHECK(state.ParseFromString(row.second));
      state.clear_applied_position();
      row.second = state.ShortDebugString();
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string difference(const std::vector<Row>& one, const std::vector<Row>& other) {
  size_t at = 0;
  while (at < std::min(one.size(), other.size()) && one[at] == other[at]) ++at;
  const std::vector<Row>& longer = at < one.size() ? one : other;
  const std::string& key = longer[at].first;
  return fmt::format("row {} of {} and {}, of kind {}", at, one.size(), other.size(), int{key[0]});
}

}  // namespace

bool check_leaders(SimArray& array) {
  std::map<PartitionId, const SimArray::Blade*> leaders;
  for (const SimArray::Blade* blade : array.blades()) {
    if (!blade->process || !blade->process->started || !blade->process->started->ok()) continue;
    for (const auto& [id, replica] : blade->process->blade.host().replicas().all()) {
      if (!replica->answerable()) continue;
      const auto [known, first] = leaders.emplace(id, blade);
      if (first) continue;
      array.trace.complain("partition {}: {} in term {} and {} may both answer", id, blade->name,
                           replica->term(), known->second->name);
      return false;
    }
  }
  return true;
}

std::vector<std::string> look_at_replicas(SimArray& array) {
  std::vector<std::string> wrong;
  const auto map = array.manager_map();
  for (int i = 0; i < map->record().partitions_size(); ++i) {
    const proto::Partition& config = map->record().partitions(i);
    const PartitionId id(static_cast<uint32_t>(i));
    if (config.replicas_size() != kReplicas) {
      wrong.push_back(fmt::format("partition {} has {} replicas in sync, primary is blade {}", id,
                                  config.replicas_size(), config.primary()));
    }
    std::vector<Row> rows;
    Lsn applied;
    for (const uint32_t number : config.replicas()) {
      BladeProcess& process = *array.blade(number).process;
      const auto replica = process.blade.host().replicas().find(id);
      if (replica == nullptr) {
        wrong.push_back(fmt::format("partition {} is not on blade {}", id, number));
        continue;
      }
      const Lsn here = replica->machine()->applied_lsn();
      std::vector<Row> rows_here = rows_of(*process.kv, *replica);
      if (number == config.replicas(0)) {
        applied = here;
        rows = std::move(rows_here);
      } else if (here != applied) {
        wrong.push_back(fmt::format("partition {}: blade {} has applied {}, blade {} {}", id,
                                    config.replicas(0), applied, number, here));
      } else if (rows_here != rows) {
        wrong.push_back(fmt::format("partition {}: blades {} and {} differ at entry {}: {}", id,
                                    config.replicas(0), number, here, difference(rows, rows_here)));
      }
    }
  }
  return wrong;
}

}  // namespace turbine::sim
