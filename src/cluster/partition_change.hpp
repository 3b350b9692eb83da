// Who may change the configuration of a partition, and to what: the rules that keep one primary
// and every acknowledged entry (PacificA). Pure; the caller makes the result durable.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "proto/cluster.pb.h"

namespace turbine::cluster {

/// Does what member `issuer` asks, and moves the partition to its next term. The issuer's session
/// was compared before. Errc::denied with the reason, and nothing changed, unless
/// - the term is still the expected one, and the issuer in sync,
/// - the replicas are some of those in sync, at least one, and the primary is among them,
/// - the primary asks: it may add one joiner that is wanted and up in the session in which it
/// caught
///   up, and
///   may hand over to another in-sync replica that is up,
/// - or another member takes over: it becomes primary, the old primary is dropped.
Result<> apply_change(proto::ClusterMap& map, BladeId issuer, const proto::PartitionChange& change);

/// A blade's process began anew: what it was primary of goes on in another term, so that nothing
/// its earlier process had under way counts.
void reelect(proto::ClusterMap& map, BladeId blade);

/// A blade that lost acknowledged records is in sync nowhere any more, but where it has the only
/// replica. Where it was primary another replica becomes it, one that is up if there is one.
void drop_damaged(proto::ClusterMap& map, BladeId blade);

}  // namespace turbine::cluster
