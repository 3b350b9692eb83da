// PartitionHost: quotas of buckets. What the map says is brought about: at a bucket's home a state
// of the quota, into which all partitions are counted; elsewhere what is charged no more.
#include <algorithm>

#include "base/async.hpp"
#include "base/log.hpp"
#include "meta/bucket_usage.hpp"
#include "meta/op_support.hpp"
#include "meta/partition_host.hpp"
#include "proto/rpc.pb.h"

namespace turbine::meta {
namespace {

constexpr size_t kCountedAtOnce = 16;

/// The map knows that generation, and has none or a later one instead.
bool has_ended(const BucketQuotas& quotas, uint64_t bucket, uint64_t generation) {
  if (quotas.epoch < generation) return false;
  const auto found = quotas.by_bucket.find(bucket);
  return found == quotas.by_bucket.end() || found->second.generation() > generation;
}

Task<int64_t> count_in(PartitionPtr home, PartitionId partition, proto::BucketQuota quota) {
  if (partition == home->id()) {
    co_return co_await begin_charging(home, quota.bucket(), quota.generation());
  }
  proto::CountUsageRequest request;
  request.set_partition(partition.value);
  request.set_bucket(quota.bucket());
  request.set_generation(quota.generation());
  const auto reply = CO_TRY(co_await home->seams().client.call<proto::CountUsageReply>(
      partition, proto::COUNT_USAGE, std::move(request), {}, {}, home->clock().now()));
  co_return reply.body.bytes();
}

Task<> count_partitions(PartitionPtr home, uint32_t partition_count, proto::BucketQuota quota) {
  std::vector<uint32_t> missing;
  for (uint32_t i = 0; i < partition_count; ++i) {
    const proto::BucketQuotaState& state = home->image().quotas().at(quota.bucket());
    if (!Image::is_counted(state, PartitionId(i))) missing.push_back(i);
  }
  Result<> all;
  for (size_t first = 0; first < missing.size(); first += kCountedAtOnce) {
    const size_t end = std::min(missing.size(), first + kCountedAtOnce);
    std::vector<Task<int64_t>> counts;
    for (size_t i = first; i < end; ++i) {
      counts.push_back(count_in(home, PartitionId(missing[i]), quota));
    }
    const auto counted = co_await when_all(std::move(counts));
    proto::LogEntry entry;
    for (size_t i = 0; i < counted.size(); ++i) {
      if (!counted[i].ok()) {
        all = fail(counted[i].error());  // it is asked in the next round
        continue;
      }
      proto::NoteUsageMutation& note = *entry.add_mutations()->mutable_note_usage();
      note.set_bucket(quota.bucket());
      note.set_generation(quota.generation());
      note.set_partition(missing[first + i]);
      note.set_bytes(*counted[i]);
      note.set_partition_count(partition_count);
    }
    if (entry.mutations_size() > 0) CO_TRY(co_await home->commit(std::move(entry)));
  }
  co_return all;
}

}  // namespace

Task<> PartitionHost::keep_quotas() {
  const cluster::MapPtr map = seams_.map.get();
  if (map == nullptr) co_return Result<>{};
  BucketQuotas quotas{map->record().epoch(), map->partition_count(), {}};
  for (const proto::BucketQuota& quota : map->record().quotas()) {
    quotas.by_bucket[quota.bucket()] = quota;
  }
  for (const PartitionPtr& partition : partitions()) {
    const Result<> done = co_await keep_quotas_of(partition, quotas);
    if (!done.ok()) {
      log::debug("quotas of partition {}: {}", partition->id(), done.error().text());
    }
  }
  co_return Result<>{};
}

Task<> PartitionHost::keep_quotas_of(PartitionPtr partition, const BucketQuotas& quotas) {
  const Image& image = partition->image();
  proto::LogEntry entry;
  for (const auto& [bucket, generation] : image.charged()) {
    if (!has_ended(quotas, bucket, generation)) continue;
    auto& ended = *entry.add_mutations()->mutable_count_usage();
    ended.set_bucket(bucket);
    ended.set_generation(generation);
    ended.set_ended(true);
  }
  for (const auto& [bucket, quota] : image.quotas()) {
    if (!has_ended(quotas, bucket, quota.generation())) continue;
    auto& ended = *entry.add_mutations()->mutable_set_quota();
    ended.set_bucket(bucket);
    ended.set_generation(quota.generation());
    ended.set_removed(true);
  }
  std::vector<proto::BucketQuota> mine;
  for (const auto& [bucket, quota] : quotas.by_bucket) {
    if (InodeId(quota.bucket()).partition() != partition->id()) continue;
    const auto known = image.quotas().find(quota.bucket());
    if (known == image.quotas().end()) {
      const auto home = co_await find_inode(partition, InodeId(quota.bucket()));
      if (!home.ok()) continue;  // the bucket is gone
    }
    const auto state = image.quotas().find(quota.bucket());
    const bool same =
        state != image.quotas().end() && (state->second.generation() > quota.generation() ||
                                          (state->second.generation() == quota.generation() &&
                                           state->second.limit() == quota.bytes()));
    if (!same) {
      auto& set = *entry.add_mutations()->mutable_set_quota();
      set.set_bucket(quota.bucket());
      set.set_generation(quota.generation());
      set.set_limit(quota.bytes());
    }
    mine.push_back(quota);
  }
  if (entry.mutations_size() > 0) CO_TRY(co_await partition->commit(std::move(entry)));
  for (const proto::BucketQuota& quota : mine) {
    const auto state = image.quotas().find(quota.bucket());
    if (state == image.quotas().end() || state->second.complete()) continue;
    if (state->second.generation() != quota.generation()) continue;
    CO_TRY(co_await count_partitions(partition, quotas.partition_count, quota));
  }
  co_return Result<>{};
}

}  // namespace turbine::meta
