#include "admin/bucket_json.hpp"

#include <algorithm>
#include <charconv>

#include "admin/operations.hpp"

namespace turbine::admin {

boost::json::object bucket_json(const cluster::ClusterMap& map, const fs::BucketInfo& bucket,
                                const std::optional<fs::BucketUsage>& usage) {
  boost::json::object item;
  item["name"] = bucket.name;
  item["created"] = utc_text(bucket.created_ns / 1'000'000);
  const proto::User* owner = map.user(bucket.owner_user);
  item["account"] = owner == nullptr ? "" : owner->name();
  item["object_count"] = nullptr;
  item["space"] = nullptr;
  if (usage.has_value()) {
    item["object_count"] = usage->files;
    boost::json::object space;
    space["virtual"] = usage->bytes;
    item["space"] = std::move(space);
  }
  item["quota_limit"] = nullptr;
  const bool enforced = usage.has_value() && usage->quota.has_value() && usage->quota->enforced;
  item["quota_enforced"] = enforced;
  const auto& quotas = map.record().quotas();
  const auto quota = std::ranges::find(quotas, bucket.inode.value, &proto::BucketQuota::bucket);
  if (quota == quotas.end()) return item;
  item["quota_limit"] = quota->bytes();
  // The partitions follow the map.
  item["quota_enforced"] = enforced && usage->quota->limit_bytes == quota->bytes();
  return item;
}

Result<std::optional<uint64_t>> parse_quota(std::string_view text) {
  if (text == "none") return std::optional<uint64_t>{};
  uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc{} || end != text.data() + text.size() || bytes > uint64_t{INT64_MAX}) {
    return fail(Errc::invalid, "the quota {} is neither a number of bytes nor `none`", text);
  }
  return std::optional(bytes);
}

}  // namespace turbine::admin
