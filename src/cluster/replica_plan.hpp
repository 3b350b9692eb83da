// Pure plans of metadata replicas: who should hold each partition, in good days and bad ones.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"

namespace turbine::cluster {

/// The replicas of one partition, the preferred primary first.
using Members = std::vector<BladeId>;

struct BladeHost {
  BladeId id;
  std::string host;  // empty: not known, taken for a host of its own
  bool operator==(const BladeHost&) const = default;
};

/// For each partition min(replica_count, number of blades) distinct blades. Primaries are those of
/// plan_partitions(); of replicas, too, no blade has two more than another. When the blades name
/// two hosts or more, members stand on as many hosts as there are, which comes before evenness:
/// where hosts have different numbers of blades, loads are as near as that allows.
std::vector<Members> plan_replicas(uint32_t partition_count, const std::vector<BladeHost>& blades,
                                   int replica_count = 3);

/// What wanted_now() looks at; `home`, `replicas` and `before` have one entry for each partition.
struct ReplicaSituation {
  const std::vector<Members>& home;      // plan_replicas() of all blades that belong to the plan
  const std::vector<Members>& replicas;  // in sync, dead ones among them
  const std::vector<Members>& before;    // wanted so far: a copy that is under way is finished
  std::vector<BladeHost> live{};         // those that may get replicas
  std::map<BladeId, Duration> dead{};    // for how long
  Duration replan_delay{};
};

/// Who should hold each partition now: its home plan, in which a dead blade is replaced
/// - at once where only one in-sync replica lives,
/// - where more live, when it has been dead for replan_delay, or is no longer known,
/// - never where none lives: there is nothing to copy.
/// Replacements stand last; they are those that hold a replica already, else those wanted before,
/// else the least loaded blades (on a host of its own where possible), rendezvous hashing breaking
/// ties. A dead blade that nobody can replace keeps its place. When all live, this is `home`.
std::vector<Members> wanted_now(const ReplicaSituation& situation);

}  // namespace turbine::cluster
