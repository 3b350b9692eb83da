#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

Task<HttpResponse> delete_export_policy(ArrayControl& array, HttpRequest request) {
  const std::string name = CO_TRY(required_name(request));
  CO_TRY(co_await array.delete_export_policy(name));
  boost::json::object item;
  item["name"] = name;
  co_return item_answer(std::move(item));
}

}  // namespace turbine::admin
