#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

Task<HttpResponse> list_buckets(ArrayControl& array, HttpRequest request) {
  const cluster::MapPtr map = array.map();
  fs::FileSystem& files = *CO_TRY(array.files());
  const auto buckets = CO_TRY(co_await files.list_buckets(files.begin(0)));
  boost::json::array items;
  for (const fs::BucketInfo& bucket : buckets) {
    boost::json::object item;
    item["name"] = bucket.name;
    item["created"] = utc_text(bucket.created_ns / 1'000'000);
    const proto::User* owner = map->user(bucket.owner_user);
    item["account"] = owner == nullptr ? "" : owner->name();
    items.push_back(std::move(item));
  }
  co_return list_answer(request, std::move(items));
}

}  // namespace turbine::admin
