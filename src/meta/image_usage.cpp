// Image: what buckets use, and their quotas.
#include <bit>

#include "meta/image.hpp"

namespace turbine::meta {
namespace {

/// Sets the bit `index`; returns how many are set.
uint32_t set_bit(std::string& bits, uint32_t index) {
  if (bits.size() <= index / 8) bits.resize(index / 8 + 1, '\0');
  char& byte = bits[index / 8];
  byte = static_cast<char>(static_cast<uint8_t>(byte) | (1U << (index % 8)));
  uint32_t count = 0;
  for (const char each : bits)
    count += static_cast<uint32_t>(std::popcount(static_cast<uint8_t>(each)));
  return count;
}

bool has_bit(const std::string& bits, uint32_t index) {
  return index / 8 < bits.size() &&
         ((static_cast<uint8_t>(bits[index / 8]) >> (index % 8)) & 1U) != 0;
}

}  // namespace

uint64_t Image::charged_to(uint64_t bucket) const {
  const auto found = charged_.find(bucket);
  return found == charged_.end() ? 0 : found->second;
}

bool Image::is_counted(const proto::BucketQuotaState& quota, PartitionId partition) {
  return quota.complete() || has_bit(quota.counted(), partition.value);
}

void Image::change_usage(Step& step, uint64_t bucket, int64_t bytes, int64_t files) {
  state_.set_object_bytes(state_.object_bytes() + bytes);
  state_.set_object_count(state_.object_count() + files);
  if (bucket == 0 || (bytes == 0 && files == 0)) return;
  proto::BucketUsage& usage = usage_[bucket];
  usage.set_bytes(usage.bytes() + bytes);
  usage.set_files(usage.files() + files);
  put_usage(step, bucket);
}

void Image::put_usage(Step& step, uint64_t bucket) {
  const proto::BucketUsage& usage = usage_.at(bucket);
  if (usage.charged() != 0) {
    charged_[bucket] = usage.charged();
  } else {
    charged_.erase(bucket);
  }
  if (usage.bytes() != 0 || usage.files() != 0 || usage.charged() != 0) {
    step.changes.put(keys_.usage(bucket), usage);
    return;
  }
  step.changes.remove(keys_.usage(bucket));
  usage_.erase(bucket);
}

Result<> Image::count_usage(Step& step, const proto::CountUsageMutation& m) {
  proto::BucketUsage& usage = usage_[m.bucket()];
  if (m.ended()) {
    if (usage.charged() == m.generation()) {
      usage.clear_charged();
      usage.clear_counted_bytes();
    }
  } else if (m.generation() > usage.charged()) {
    usage.set_charged(m.generation());
    usage.set_counted_bytes(usage.bytes());
  }
  put_usage(step, m.bucket());
  return {};
}

Result<> Image::set_quota(Step& step, const proto::SetQuotaMutation& m) {
  const std::string key = keys_.quota(m.bucket());
  if (m.removed()) {
    const auto found = quotas_.find(m.bucket());
    if (found == quotas_.end() || found->second.generation() != m.generation()) return {};
    quotas_.erase(found);
    step.changes.remove(key);
    return {};
  }
  const auto home = TRY(step.changes.read<proto::InodeRecord>(keys_.inode(InodeId(m.bucket()))));
  if (!home.has_value()) return {};  // the bucket went meanwhile
  proto::BucketQuotaState& quota = quotas_[m.bucket()];
  if (m.generation() < quota.generation()) return {};
  if (m.generation() > quota.generation()) {
    quota.Clear();
    quota.set_generation(m.generation());
  }
  quota.set_limit(m.limit());
  step.changes.put(key, quota);
  return {};
}

Result<> Image::note_usage(Step& step, const proto::NoteUsageMutation& m) {
  const auto found = quotas_.find(m.bucket());
  if (found == quotas_.end()) return {};
  proto::BucketQuotaState& quota = found->second;
  if (quota.generation() != m.generation() || is_counted(quota, PartitionId(m.partition()))) {
    return {};
  }
  quota.set_used(quota.used() + m.bytes());
  if (set_bit(*quota.mutable_counted(), m.partition()) >= m.partition_count()) {
    quota.set_complete(true);
    quota.clear_counted();
  }
  step.changes.put(keys_.quota(m.bucket()), quota);
  return {};
}

Result<> Image::charge_bucket(Step& step, const proto::ChargeBucketMutation& m) {
  const auto found = quotas_.find(m.bucket());
  if (found == quotas_.end() || found->second.generation() != m.generation()) return {};
  found->second.set_used(found->second.used() + m.delta());
  step.changes.put(keys_.quota(m.bucket()), found->second);
  return {};
}

}  // namespace turbine::meta
