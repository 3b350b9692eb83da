// Restoration: how an array goes on from a backup of its records, which is older than its blades.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "proto/cluster.pb.h"

namespace turbine::cluster {

// A configuration out of a backup may name blades that were dropped since, and that lack what was
// acknowledged without them. So none of them is believed. Every blade tells, as it starts and
// before it may act, how far the logs of its replicas go. Each acknowledged entry is durable on
// every replica in sync, and a log is a prefix of that of the last primary it followed; so of all
// logs the one with the greatest (term, lsn) has every acknowledged entry. It and those equal to it
// become the replicas in sync. That holds only if all blades have told, which is waited for.
// docs/REPLICATION.md

/// `map` and `counters` as a backup has them become those of an array under restoration: nobody
/// leads, no session counts, and numbers that are never given twice (epoch, terms, sessions, users)
/// go on from the wall clock, beyond all that was given since the backup. `lost_blades` are not
/// waited for; what they alone hold is given up.
/// Errc::invalid: the backup is of an array that was not planned yet, or there is no such blade.
Result<> begin_restoration(proto::ClusterMap& map, proto::ArrayCounters& counters,
                           uint64_t backup_ms, uint64_t now_ms,
                           const std::vector<uint32_t>& lost_blades);

/// A blade of the map registers while counters.has_restoration(): keeps what it tells. Errc::denied
/// for a process that began before the restoration and may act yet: it must be started again.
Result<> take_logs(proto::ClusterMap& map, proto::ArrayCounters& counters,
                   const proto::RegisterBladeRequest& request, uint32_t blade);

/// When all have told: decides the configuration of every partition and ends the restoration.
/// Otherwise map.restoring says who is waited for. True when it has ended.
bool try_end_restoration(proto::ClusterMap& map, proto::ArrayCounters& counters);

}  // namespace turbine::cluster
