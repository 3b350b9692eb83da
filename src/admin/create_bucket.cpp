#include <boost/json.hpp>

#include "admin/operations.hpp"
#include "fs/bucket_name.hpp"

namespace turbine::admin {

Task<HttpResponse> create_bucket(ArrayControl& array, HttpRequest request) {
  const std::string name = CO_TRY(required_name(request));
  if (!fs::is_valid_new_bucket_name(name)) {
    co_return fail(Errc::invalid, "bucket name {}: {}", name, fs::kBucketNameRule);
  }
  uint64_t owner = 0;
  const cluster::MapPtr map = array.map();
  for (const proto::User& user : map->record().users()) {
    if (user.root()) owner = user.id();
  }
  fs::FileSystem& files = *CO_TRY(array.files());
  const fs::BucketInfo bucket = CO_TRY(co_await files.create_bucket(files.begin(owner), name));
  boost::json::object item;
  item["name"] = bucket.name;
  item["created"] = utc_text(bucket.created_ns / 1'000'000);
  co_return item_answer(std::move(item), 201);
}

}  // namespace turbine::admin
