#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

/// `names`: the user. The answer is the only place that ever shows the secret.
Task<HttpResponse> create_key(ArrayControl& array, HttpRequest request) {
  const std::string user = CO_TRY(required_name(request));
  const proto::AccessKey key = CO_TRY(co_await array.create_key(user));
  boost::json::object item;
  item["name"] = key.access_key();
  item["user"] = {{"name", user}, {"id", key.user_id()}};
  item["access_key"] = key.access_key();
  item["secret_key"] = key.secret_key();
  item["created"] = utc_text(static_cast<int64_t>(key.created_ms()));
  co_return item_answer(std::move(item), 201);
}

}  // namespace turbine::admin
