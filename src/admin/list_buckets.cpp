#include <boost/json.hpp>

#include "admin/bucket_json.hpp"
#include "admin/operations.hpp"

namespace turbine::admin {

Task<HttpResponse> list_buckets(ArrayControl& array, HttpRequest request) {
  const cluster::MapPtr map = array.map();
  fs::FileSystem& files = *CO_TRY(array.files());
  const auto buckets = CO_TRY(co_await files.list_buckets(files.begin(0)));
  std::vector<InodeId> ids;
  for (const fs::BucketInfo& bucket : buckets) ids.push_back(bucket.inode);
  const auto usage = co_await files.bucket_usage(files.begin(0), std::move(ids));
  boost::json::array items;
  for (size_t i = 0; i < buckets.size(); ++i) {
    std::optional<fs::BucketUsage> used;
    if (usage.ok()) used = usage->at(i);
    items.push_back(bucket_json(*map, buckets[i], used));
  }
  co_return list_answer(request, std::move(items));
}

}  // namespace turbine::admin
