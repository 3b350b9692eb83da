#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

Task<HttpResponse> delete_bucket(ArrayControl& array, HttpRequest request) {
  const std::string name = CO_TRY(required_name(request));
  fs::FileSystem& files = *CO_TRY(array.files());
  CO_TRY(co_await files.delete_bucket(files.begin(0), name));
  boost::json::object item;
  item["name"] = name;
  co_return item_answer(std::move(item));
}

}  // namespace turbine::admin
