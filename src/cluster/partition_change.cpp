#include "cluster/partition_change.hpp"

#include <algorithm>
#include <set>

#include "cluster/map_record.hpp"

namespace turbine::cluster {
namespace {

using Blades = std::set<uint32_t>;

Result<> check_primarys_wish(const proto::ClusterMap& map, const proto::Partition& partition,
                             const proto::PartitionChange& change, const Blades& joiners) {
  if (joiners.size() > 1) return fail(Errc::denied, "{} joiners at once", joiners.size());
  if (joiners.contains(change.primary())) {
    return fail(Errc::denied, "blade {} is not in sync yet and can't become primary",
                change.primary());
  }
  if (!joiners.empty()) {
    const auto& wanted = partition.wanted();
    if (!wanted.empty() && std::ranges::find(wanted, *joiners.begin()) == wanted.end()) {
      return fail(Errc::denied, "joiner {} is not wanted any more", *joiners.begin());
    }
    const proto::Blade* joiner = find_blade(map, *joiners.begin());
    if (joiner == nullptr || !is_up(joiner->state())) {
      return fail(Errc::denied, "joiner {} is not up", *joiners.begin());
    }
    if (joiner->session() != change.joiner_session()) {
      return fail(Errc::denied, "joiner {} caught up in session {}, but is in {} now", joiner->id(),
                  change.joiner_session(), joiner->session());
    }
  }
  if (change.primary() == partition.primary()) return {};
  const proto::Blade* heir = find_blade(map, change.primary());
  if (heir == nullptr || !is_up(heir->state())) {
    return fail(Errc::denied, "blade {} is not up and can't become primary", change.primary());
  }
  return {};
}

Result<> check_takeover(const proto::Partition& partition, uint32_t issuer,
                        const proto::PartitionChange& change, const Blades& joiners,
                        const Blades& replicas) {
  if (change.primary() != issuer) {
    return fail(Errc::denied, "only its primary, blade {}, may decide that; blade {} may take over",
                partition.primary(), issuer);
  }
  if (!joiners.empty()) return fail(Errc::denied, "a take-over can't add replicas");
  if (replicas.contains(partition.primary())) {
    return fail(Errc::denied, "a take-over has to drop the old primary, blade {}",
                partition.primary());
  }
  return {};
}

Result<> check(const proto::ClusterMap& map, const proto::Partition& partition, uint32_t issuer,
               const proto::PartitionChange& change) {
  if (partition.term() != change.expected_term()) {
    return fail(Errc::denied, "it is in term {}, not {}", partition.term(), change.expected_term());
  }
  const Blades old(partition.replicas().begin(), partition.replicas().end());
  const Blades replicas(change.replicas().begin(), change.replicas().end());
  if (!old.contains(issuer)) return fail(Errc::denied, "blade {} is not in sync", issuer);
  if (static_cast<int>(replicas.size()) != change.replicas_size()) {
    return fail(Errc::denied, "a replica is named twice");
  }
  if (!replicas.contains(change.primary())) {
    return fail(Errc::denied, "the new primary, blade {}, is not among the replicas",
                change.primary());
  }
  Blades joiners;
  std::ranges::set_difference(replicas, old, std::inserter(joiners, joiners.end()));
  if (issuer == partition.primary()) return check_primarys_wish(map, partition, change, joiners);
  return check_takeover(partition, issuer, change, joiners, replicas);
}

}  // namespace

Result<> apply_change(proto::ClusterMap& map, BladeId issuer,
                      const proto::PartitionChange& change) {
  if (change.partition() >= static_cast<uint32_t>(map.partitions_size())) {
    return fail(Errc::denied, "partition {}: there is none", change.partition());
  }
  proto::Partition& partition = *map.mutable_partitions(static_cast<int>(change.partition()));
  if (Result<> checked = check(map, partition, issuer.value, change); !checked.ok()) {
    return fail(checked.error().within(fmt::format("partition {}", change.partition())));
  }
  partition.set_primary(change.primary());
  *partition.mutable_replicas() = change.replicas();
  partition.set_term(partition.term() + 1);
  return {};
}

void reelect(proto::ClusterMap& map, BladeId blade) {
  for (proto::Partition& partition : *map.mutable_partitions()) {
    if (partition.primary() == blade.value) partition.set_term(partition.term() + 1);
  }
}

void drop_damaged(proto::ClusterMap& map, BladeId blade) {
  for (proto::Partition& partition : *map.mutable_partitions()) {
    auto& replicas = *partition.mutable_replicas();
    const auto found = std::ranges::find(replicas, blade.value);
    if (found == replicas.end() || replicas.size() == 1) continue;
    replicas.erase(found);
    if (partition.primary() == blade.value) {
      const auto up = std::ranges::find_if(replicas, [&map](uint32_t id) {
        const proto::Blade* other = find_blade(map, id);
        return other != nullptr && is_up(other->state());
      });
      partition.set_primary(up == replicas.end() ? replicas[0] : *up);
    }
    partition.set_term(partition.term() + 1);
  }
}

}  // namespace turbine::cluster
