#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "admin/bucket_json.hpp"
#include "admin/operations.hpp"

namespace turbine::admin {
namespace {

constexpr uint32_t kModeMax = 07777;

struct Change {
  bool has_quota = false;
  std::optional<uint64_t> quota;
  fs::BucketAttributes attributes;
};

Result<std::optional<uint32_t>> number_of(const HttpRequest& request, std::string_view name,
                                          int base, uint32_t most) {
  const std::string_view text = request.parameter(name);
  if (text.empty()) return std::optional<uint32_t>{};
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) {
    return fail(Errc::invalid,
                "the parameter `{}` is {}, which is not a number of base {} up to {}", name, text,
                base, most);
  }
  return std::optional(value);
}

Result<Change> parse_change(const HttpRequest& request) {
  Change change;
  if (const std::string_view quota = request.parameter("quota"); !quota.empty()) {
    change.has_quota = true;
    change.quota = TRY(parse_quota(quota));
  }
  change.attributes.uid = TRY(number_of(request, "uid", 10, UINT32_MAX - 1));
  change.attributes.gid = TRY(number_of(request, "gid", 10, UINT32_MAX - 1));
  change.attributes.mode = TRY(number_of(request, "mode", 8, kModeMax));
  const auto& set = change.attributes;
  if (!change.has_quota && !set.uid && !set.gid && !set.mode) {
    return fail(Errc::invalid, "nothing is changed: give `quota`, `uid`, `gid` or `mode`");
  }
  return change;
}

}  // namespace

/// A quota holds some seconds later, when what is there has been counted: see `quota_enforced`.
Task<HttpResponse> set_bucket(ArrayControl& array, HttpRequest request) {
  const std::string name = CO_TRY(required_name(request));
  const Change change = CO_TRY(parse_change(request));
  fs::FileSystem& files = *CO_TRY(array.files());
  const fs::BucketInfo bucket = CO_TRY(co_await files.bucket(files.begin(0), name));
  const fs::BucketAttributes attributes =
      CO_TRY(co_await files.set_bucket_attributes(files.begin(0), name, change.attributes));
  if (change.has_quota) {
    std::vector<InodeId> ids;
    for (const auto& each : CO_TRY(co_await files.list_buckets(files.begin(0)))) {
      ids.push_back(each.inode);
    }
    CO_TRY(co_await array.set_bucket_quota(bucket.inode, change.quota, std::move(ids)));
  }
  std::optional<fs::BucketUsage> used;
  const auto usage = co_await files.bucket_usage(files.begin(0), {bucket.inode});
  if (usage.ok()) used = usage->front();
  const cluster::MapPtr map = array.map();
  boost::json::object item = bucket_json(*map, bucket, used);
  item["uid"] = attributes.uid.value_or(0);
  item["gid"] = attributes.gid.value_or(0);
  item["mode"] = fmt::format("{:04o}", attributes.mode.value_or(0));
  co_return item_answer(std::move(item));
}

}  // namespace turbine::admin
