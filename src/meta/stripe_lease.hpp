// Leases of stripe ids within a blade, without a message.
#pragma once

#include "meta/partition.hpp"

namespace turbine::meta {

/// Leases `count` fresh stripe numbers of this partition to `session` through the log; returns the
/// first. A session's oldest range ends when it holds too many with unspent ids.
Task<uint64_t> lease_stripe_numbers(PartitionPtr partition, SessionId session, uint32_t count);

/// Whether nobody uses the stripe and nobody will: freed, or never referenced out of a range that
/// has ended. `has_record`: its home record exists.
bool is_disowned(Partition& partition, StripeId id, bool has_record);

}  // namespace turbine::meta
