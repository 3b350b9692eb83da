// Manager: quotas of buckets. What they count is the partitions' (meta/quota_jobs.cpp).
#include <algorithm>

#include "cluster/manager.hpp"

namespace turbine::cluster {

Task<> Manager::set_bucket_quota(InodeId bucket, std::optional<uint64_t> bytes,
                                 std::vector<InodeId> buckets) {
  co_return co_await change([&](proto::ClusterMap& map, proto::ArrayCounters&) -> Result<bool> {
    auto& quotas = *map.mutable_quotas();
    const auto is_old = [&](const proto::BucketQuota& quota) {
      const InodeId id(quota.bucket());
      return id == bucket ? !bytes.has_value() : std::ranges::find(buckets, id) == buckets.end();
    };
    quotas.erase(std::remove_if(quotas.begin(), quotas.end(), is_old), quotas.end());
    if (!bytes.has_value()) return true;
    const auto found = std::ranges::find(quotas, bucket.value, &proto::BucketQuota::bucket);
    if (found != quotas.end()) {
      found->set_bytes(*bytes);
      return true;
    }
    proto::BucketQuota& quota = *quotas.Add();
    quota.set_bucket(bucket.value);
    quota.set_bytes(*bytes);
    quota.set_generation(map.epoch() + 1);  // of the map that has it first
    return true;
  });
}

}  // namespace turbine::cluster
