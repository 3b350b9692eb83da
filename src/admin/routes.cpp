#include "admin/routes.hpp"

#include <openssl/crypto.h>

#include <array>
#include <boost/json.hpp>

#include "admin/metrics_text.hpp"
#include "admin/operations.hpp"
#include "admin/problem.hpp"

namespace turbine::admin {

namespace {

struct Route {
  std::string_view method;
  std::string_view path;
  Operation operation;
  bool open = false;  // answers without a token
};

Task<HttpResponse> live(ArrayControl&, HttpRequest) {
  co_return HttpResponse{200, "application/json", R"({"status":"live"})"};
}

Task<HttpResponse> ready(ArrayControl& array, HttpRequest) {
  if (array.standby()) co_return HttpResponse{200, "application/json", R"({"status":"standby"})"};
  if (array.map() == nullptr) co_return fail(Errc::unavailable, "the cluster map is not there yet");
  co_return HttpResponse{200, "application/json", R"({"status":"ready"})"};
}

constexpr std::array kRoutes = {
    Route{"GET", "/health/live", live, true},
    Route{"GET", "/health/ready", ready, true},
    Route{"GET", "/metrics", get_metrics, true},
    Route{"GET", "/api/v1/arrays", get_arrays},
    Route{"GET", "/api/v1/arrays/space", get_space},
    Route{"GET", "/api/v1/blades", list_blades},
    Route{"GET", "/api/v1/buckets", list_buckets},
    Route{"POST", "/api/v1/buckets", create_bucket},
    Route{"PATCH", "/api/v1/buckets", set_bucket},
    Route{"DELETE", "/api/v1/buckets", delete_bucket},
    Route{"GET", "/api/v1/object-store-users", list_users},
    Route{"POST", "/api/v1/object-store-users", create_user},
    Route{"DELETE", "/api/v1/object-store-users", delete_user},
    Route{"GET", "/api/v1/object-store-access-keys", list_keys},
    Route{"POST", "/api/v1/object-store-access-keys", create_key},
    Route{"DELETE", "/api/v1/object-store-access-keys", delete_key},
    Route{"GET", "/api/v1/nfs-export-policies", list_export_policies},
    Route{"PUT", "/api/v1/nfs-export-policies", set_export_policy},
    Route{"DELETE", "/api/v1/nfs-export-policies", delete_export_policy},
    Route{"GET", "/api/v1/nfs-export-policies/test", test_export_policy},
    Route{"GET", "/api/v1/config", get_config},
    Route{"GET", "/api/v1/stats", get_stats},
};

/// In time that does not depend on where the first difference is.
bool authorised(const HttpRequest& request, const std::string& token) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view given = request.authorization;
  if (!given.starts_with(kScheme)) return false;
  const std::string_view offered = given.substr(kScheme.size());
  return !token.empty() && offered.size() == token.size() &&
         CRYPTO_memcmp(offered.data(), token.data(), token.size()) == 0;
}

HttpResponse nobody() {
  return problem({Errc::denied, "the bearer token is missing or wrong"}, 401);
}

Task<HttpResponse> route(ArrayControl& array, std::string token, HttpRequest request) {
  bool path_known = false;
  for (const Route& row : kRoutes) {
    if (row.path != request.path) continue;
    path_known = true;
    const bool head = request.method == "HEAD" && row.method == "GET";
    if (row.method != request.method && !head) continue;
    if (!row.open && !authorised(request, token)) {
      co_return nobody();
    }
    const std::optional<std::string> standby = array.standby();
    if (!row.open && standby) co_return fail(Errc::wrong_primary, "{}", *standby);
    if (!row.open && array.map() == nullptr) {
      co_return fail(Errc::unavailable, "the cluster map is not there yet");
    }
    co_return co_await row.operation(array, std::move(request));
  }
  if (!authorised(request, token)) {
    co_return nobody();
  }
  if (path_known) {
    co_return problem(
        {Errc::unsupported, fmt::format("{} does not apply to {}", request.method, request.path)},
        405);
  }
  co_return fail(Errc::not_found, "there is no {}", request.path);
}

Task<HttpResponse> process_route(std::shared_ptr<const ProcessPage> page, HttpRequest request) {
  if (request.method != "GET" && request.method != "HEAD") {
    co_return fail(Errc::invalid, "only GET applies to {}", request.path);
  }
  if (request.path == "/health/live") {
    co_return HttpResponse{200, "application/json", R"({"status":"live"})"};
  }
  if (request.path == "/health/ready") {
    CO_TRY(page->ready());
    co_return HttpResponse{200, "application/json", R"({"status":"ready"})"};
  }
  if (request.path == "/metrics") {
    co_return HttpResponse{200, std::string(kMetricsContentType), page->metrics()};
  }
  co_return fail(Errc::not_found, "there is no {}", request.path);
}

}  // namespace

HttpHandler make_admin_handler(ArrayControl& array, std::string token) {
  return [&array, token = std::move(token)](HttpRequest request) {
    return route(array, token, std::move(request));
  };
}

HttpHandler make_process_handler(ProcessPage page) {
  auto shared = std::make_shared<const ProcessPage>(std::move(page));
  return [shared](HttpRequest request) { return process_route(shared, std::move(request)); };
}

}  // namespace turbine::admin
