#include <algorithm>
#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

namespace {

bool valid_user_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '@';
  });
}

}  // namespace

/// Makes the user and its first key.
Task<HttpResponse> create_user(ArrayControl& array, HttpRequest request) {
  const std::string name = CO_TRY(required_name(request));
  if (!valid_user_name(name)) {
    co_return fail(Errc::invalid, "user name {}: 1 to 64 of a-z, A-Z, 0-9 and . _ - @", name);
  }
  const proto::User user = CO_TRY(co_await array.create_user(name));
  const proto::AccessKey key = CO_TRY(co_await array.create_key(name));
  boost::json::object item;
  item["name"] = user.name();
  item["id"] = user.id();
  item["access_key"] = key.access_key();
  item["secret_key"] = key.secret_key();
  item["created"] = utc_text(static_cast<int64_t>(user.created_ms()));
  co_return item_answer(std::move(item), 201);
}

}  // namespace turbine::admin
