#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

Task<HttpResponse> delete_key(ArrayControl& array, HttpRequest request) {
  const std::string access_key = CO_TRY(required_name(request));
  CO_TRY(co_await array.delete_key(access_key));
  boost::json::object item;
  item["name"] = access_key;
  co_return item_answer(std::move(item));
}

}  // namespace turbine::admin
