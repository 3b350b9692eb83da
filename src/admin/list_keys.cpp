#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

Task<HttpResponse> list_keys(ArrayControl& array, HttpRequest request) {
  const cluster::MapPtr map = array.map();
  boost::json::array items;
  for (const proto::AccessKey& key : map->record().keys()) {
    const proto::User* user = map->user(key.user_id());
    boost::json::object item;
    item["name"] = key.access_key();
    item["user"] = {{"name", user == nullptr ? "" : user->name()}, {"id", key.user_id()}};
    item["created"] = utc_text(static_cast<int64_t>(key.created_ms()));
    items.push_back(std::move(item));
  }
  co_return list_answer(request, std::move(items));
}

}  // namespace turbine::admin
