// What buckets use, and their quotas: counted where the inodes are, charged to the bucket's home.
#pragma once

#include "meta/half.hpp"
#include "meta/partition.hpp"

namespace turbine::meta {

/// With the entry of `half`, inodes of `bucket` in this partition get `delta` bytes longer (a file
/// that is made or freed: by its size). Holds the bucket's usage still and notes in `half` what
/// must be charged, if the bucket has a quota. Bucket 0: of none. Errc::busy: it is being counted.
Result<> add_charge(Partition& partition, uint64_t bucket, int64_t delta, Half* half);

/// The sub-operation. Refuses growth beyond the limit once all partitions are counted; what others
/// have on the way, and may yet give up, makes it Errc::busy instead of Errc::quota_exceeded.
Task<> charge_bucket(PartitionPtr partition, proto::ChargeBucket operation, Half* half);

/// From the entry on that this logs, changes of what the bucket uses here are charged to the
/// quota of that generation. Returns what it used then, also when asked again. Errc::busy.
Task<int64_t> begin_charging(PartitionPtr partition, uint64_t bucket, uint64_t generation);

}  // namespace turbine::meta
