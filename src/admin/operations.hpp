// The operations of the admin API, one source file each; routes.cpp has their paths.
#pragma once

#include <boost/json/fwd.hpp>

#include "admin/array_control.hpp"
#include "admin/http.hpp"

namespace turbine::admin {

using Operation = Task<HttpResponse> (*)(ArrayControl& array, HttpRequest request);

// Names after FlashBlade's REST: GET lists, POST, PUT, PATCH and DELETE take ?names=.
Task<HttpResponse> get_arrays(ArrayControl& array, HttpRequest request);
Task<HttpResponse> get_space(ArrayControl& array, HttpRequest request);
Task<HttpResponse> list_blades(ArrayControl& array, HttpRequest request);
Task<HttpResponse> list_buckets(ArrayControl& array, HttpRequest request);
Task<HttpResponse> create_bucket(ArrayControl& array, HttpRequest request);
Task<HttpResponse> set_bucket(ArrayControl& array, HttpRequest request);
Task<HttpResponse> delete_bucket(ArrayControl& array, HttpRequest request);
Task<HttpResponse> list_users(ArrayControl& array, HttpRequest request);
Task<HttpResponse> create_user(ArrayControl& array, HttpRequest request);
Task<HttpResponse> delete_user(ArrayControl& array, HttpRequest request);
Task<HttpResponse> list_keys(ArrayControl& array, HttpRequest request);
Task<HttpResponse> create_key(ArrayControl& array, HttpRequest request);
Task<HttpResponse> delete_key(ArrayControl& array, HttpRequest request);
Task<HttpResponse> list_export_policies(ArrayControl& array, HttpRequest request);
Task<HttpResponse> set_export_policy(ArrayControl& array, HttpRequest request);
Task<HttpResponse> delete_export_policy(ArrayControl& array, HttpRequest request);
Task<HttpResponse> test_export_policy(ArrayControl& array, HttpRequest request);
/// The backup itself, without an envelope.
Task<HttpResponse> get_config(ArrayControl& array, HttpRequest request);
Task<HttpResponse> get_stats(ArrayControl& array, HttpRequest request);
Task<HttpResponse> get_metrics(ArrayControl& array, HttpRequest request);

/// The parameter `names` (one name). Errc::invalid when absent or empty.
Result<std::string> required_name(const HttpRequest& request);
/// The list envelope, paged by `limit` and `continuation_token` (the number of items skipped).
Result<HttpResponse> list_answer(const HttpRequest& request, boost::json::array items);
/// {"items": […], "total_item_count": …} around one new or changed item.
HttpResponse item_answer(boost::json::object item, int status = 200);
/// 2026-11-23T09:40:35Z
std::string utc_text(int64_t unix_ms);

}  // namespace turbine::admin
