#include <algorithm>
#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

namespace {

/// Amazon's rules for new buckets: 3 to 63 of a-z 0-9 . -, a letter or digit at both ends.
bool valid_bucket_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.size() < 3 || name.size() > 63) return false;
  if (!plain(name.front()) || !plain(name.back())) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return plain(c) || c == '-' || c == '.'; });
}

}  // namespace

Task<HttpResponse> create_bucket(ArrayControl& array, HttpRequest request) {
  const std::string name = CO_TRY(required_name(request));
  if (!valid_bucket_name(name)) {
    co_return fail(Errc::invalid,
                   "bucket name {}: 3 to 63 of a-z, 0-9, '.' and '-', beginning and "
                   "ending with a letter or digit",
                   name);
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
