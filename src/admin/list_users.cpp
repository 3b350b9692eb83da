#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

Task<HttpResponse> list_users(ArrayControl& array, HttpRequest request) {
  const cluster::MapPtr map = array.map();
  boost::json::array items;
  for (const proto::User& user : map->record().users()) {
    boost::json::array keys;
    for (const proto::AccessKey& key : map->record().keys()) {
      if (key.user_id() == user.id()) keys.push_back(boost::json::string(key.access_key()));
    }
    boost::json::object item;
    item["name"] = user.name();
    item["id"] = user.id();
    item["root"] = user.root();
    item["created"] = utc_text(static_cast<int64_t>(user.created_ms()));
    item["access_keys"] = std::move(keys);
    items.push_back(std::move(item));
  }
  co_return list_answer(request, std::move(items));
}

}  // namespace turbine::admin
