#include "meta/bucket_usage.hpp"

#include <algorithm>

#include "meta/operations.hpp"

namespace turbine::meta {

Result<> add_charge(Partition& partition, uint64_t bucket, int64_t delta, Half* half) {
  if (bucket == 0 || delta == 0) return {};
  LockRequest lock = lock_usage(InodeId(bucket), false);
  const bool held = std::ranges::any_of(
      half->locks, [&](const LockRequest& each) { return each.key == lock.key; });
  if (!held) {
    auto guard = partition.locks().try_acquire({lock});
    if (!guard.has_value()) return fail(Errc::busy, "bucket {} is being counted", InodeId(bucket));
    half->guards.push_back(std::move(*guard));
    half->locks.push_back(std::move(lock));
  }
  const uint64_t generation = partition.image().charged_to(bucket);
  if (generation == 0) return {};
  proto::ChargeBucket& charge = half->charges.emplace_back();
  charge.set_bucket(bucket);
  charge.set_generation(generation);
  charge.set_delta(delta);
  return {};
}

Task<> charge_bucket(PartitionPtr partition, proto::ChargeBucket operation, Half* half) {
  const auto& quotas = partition->image().quotas();
  const auto found = quotas.find(operation.bucket());
  if (found == quotas.end() || found->second.generation() != operation.generation()) {
    co_return Result<>{};
  }
  const proto::BucketQuotaState& quota = found->second;
  const int64_t delta = operation.delta();
  if (delta > 0 && quota.complete()) {
    const ChargesOnTheirWay others = partition->charges_on_their_way(operation.bucket());
    const int64_t used = quota.used() + delta;
    const auto limit = static_cast<int64_t>(std::min<uint64_t>(quota.limit(), INT64_MAX));
    if (used + others.shrunk > limit) {
      co_return fail(Errc::quota_exceeded,
                     "bucket {} uses {} bytes of its quota of {}; {} more were asked for",
                     InodeId(operation.bucket()), quota.used(), limit, delta);
    }
    if (used + others.grown > limit) {
      co_return fail(Errc::busy, "others are about to use or free the last of the quota of {}",
                     InodeId(operation.bucket()));
    }
  }
  half->charge_reservations.emplace_back(partition, operation.bucket(), delta);
  proto::ChargeBucketMutation& charge = *half->mutations.Add()->mutable_charge_bucket();
  charge.set_bucket(operation.bucket());
  charge.set_generation(operation.generation());
  charge.set_delta(delta);
  co_return Result<>{};
}

Task<int64_t> begin_charging(PartitionPtr partition, uint64_t bucket, uint64_t generation) {
  // Whoever changes the usage without a charge has done so when this is granted, or begins later.
  const auto guard = CO_TRY(co_await partition->locks().acquire_until(
      {lock_usage(InodeId(bucket), true)}, partition->clock(),
      partition->clock().now() + partition->options().lock_wait));
  if (partition->image().charged_to(bucket) < generation) {
    proto::LogEntry entry;
    proto::CountUsageMutation& count = *entry.add_mutations()->mutable_count_usage();
    count.set_bucket(bucket);
    count.set_generation(generation);
    CO_TRY(co_await partition->commit(std::move(entry)));
  }
  if (partition->image().charged_to(bucket) != generation) {
    co_return fail(Errc::stale_epoch, "partition {}: the quota of bucket {} was set anew",
                   partition->id(), InodeId(bucket));
  }
  co_return partition->image().usage().at(bucket).counted_bytes();
}

Answer<proto::CountUsageReply> count_usage(Call call, proto::CountUsageRequest request) {
  rpc::With<proto::CountUsageReply> reply;
  reply.body.set_bytes(
      CO_TRY(co_await begin_charging(call.partition, request.bucket(), request.generation())));
  co_return reply;
}

Answer<proto::BucketUsageReply> bucket_usage(Call call, proto::BucketUsageRequest request) {
  const Image& image = call.partition->image();
  rpc::With<proto::BucketUsageReply> reply;
  for (const uint64_t bucket : request.buckets()) {
    auto& out = *reply.body.add_buckets();
    if (const auto usage = image.usage().find(bucket); usage != image.usage().end()) {
      out.set_bytes(usage->second.bytes());
      out.set_files(usage->second.files());
    }
    if (const auto quota = image.quotas().find(bucket); quota != image.quotas().end()) {
      out.set_has_quota(true);
      out.set_limit_bytes(quota->second.limit());
      out.set_used_bytes(quota->second.used());
      out.set_enforced(quota->second.complete());
    }
  }
  co_return reply;
}

}  // namespace turbine::meta
