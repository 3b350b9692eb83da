#include "cli/admin_call.hpp"

#include <charconv>
#include <cstdlib>
#include <optional>

#include "admin/client_connection.hpp"
#include "cli/array_dir.hpp"

namespace turbine::cli {

namespace {

Result<AdminTarget> parse_url(std::string_view url, std::string token) {
  constexpr std::string_view kScheme = "http://";
  const std::string whole(url);
  if (!url.starts_with(kScheme)) return fail(Errc::invalid, "{} is not an http:// URL", whole);
  url.remove_prefix(kScheme.size());
  url = url.substr(0, url.find('/'));
  const size_t colon = url.rfind(':');
  AdminTarget target;
  target.token = std::move(token);
  std::string_view host = url.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  target.host = std::string(host);
  const std::string_view port = colon == std::string_view::npos ? "80" : url.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), target.port);
  if (error != std::errc{} || end != port.data() + port.size() || target.host.empty()) {
    return fail(Errc::invalid, "{} has no host and port", whole);
  }
  return target;
}

/// URLs with commas between.
Result<std::vector<AdminTarget>> parse_urls(std::string_view urls, const std::string& token) {
  std::vector<AdminTarget> targets;
  while (true) {
    const size_t comma = urls.find(',');
    targets.push_back(TRY(parse_url(urls.substr(0, comma), token)));
    if (comma == std::string_view::npos) return targets;
    urls.remove_prefix(comma + 1);
  }
}

Errc code_of(int status) {
  switch (status) {
    case 400:
      return Errc::invalid;
    case 401:
    case 403:
      return Errc::denied;
    case 404:
      return Errc::not_found;
    case 409:
      return Errc::conflict;
    case 412:
      return Errc::precondition_failed;
    case 503:
      return Errc::unavailable;
    case 507:
      return Errc::no_space;
    default:
      return Errc::io;
  }
}

std::string text_member(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

}  // namespace

Result<std::vector<AdminTarget>> find_admin(const Session& session) {
  if (!session.dir.empty()) {
    const ArraySettings settings = TRY(ArrayDir(session.dir).load());
    return parse_urls(settings.admin_urls(), settings.admin_token);
  }
  const char* url = std::getenv("TURBINE_ADMIN");
  const char* token = std::getenv("TURBINE_TOKEN");
  if (url == nullptr || token == nullptr) {
    return fail(Errc::invalid,
                "which array? Give --dir DIR, or set TURBINE_ADMIN and TURBINE_TOKEN "
                "(`. DIR/env` does)");
  }
  return parse_urls(url, token);
}

namespace {

/// One manager's answer; nothing when it does not lead.
Result<std::optional<boost::json::object>> ask_manager(const AdminTarget& admin,
                                                       const std::string& method,
                                                       const std::string& target) {
  admin::ClientRequest request;
  request.host = admin.host;
  request.port = admin.port;
  request.token = admin.token;
  request.method = method;
  request.target = target;
  auto answer = admin::http_call(request);
  if (!answer.ok()) {
    return fail(answer.error().code, "the array's manager does not answer: {}; is it up?",
                answer.error().context);
  }
  boost::system::error_code error;
  const boost::json::value body = boost::json::parse(answer->body, error);
  if (error || !body.is_object()) {
    return fail(Errc::corrupt, "the answer of {}:{} is not JSON; is that the admin port?",
                admin.host, admin.port);
  }
  if (answer->status == 503 && text_member(body.as_object(), "code") == "wrong_primary") {
    return std::optional<boost::json::object>();
  }
  if (answer->status >= 300) {
    const std::string hint = text_member(body.as_object(), "hint");
    return fail(code_of(answer->status), "{}{}", text_member(body.as_object(), "detail"),
                hint.empty() ? "" : "\n  " + hint);
  }
  return std::optional<boost::json::object>(body.as_object());
}

}  // namespace

Result<boost::json::object> admin_call(const Session& session, const std::string& method,
                                       const std::string& target) {
  std::optional<Error> away;
  bool standby = false;
  const std::vector<AdminTarget> managers = TRY(find_admin(session));
  for (const AdminTarget& admin : managers) {
    auto answer = ask_manager(admin, method, target);
    if (answer.ok() && answer->has_value()) return std::move(**answer);
    standby = standby || answer.ok();
    if (answer.ok()) continue;
    // Only a manager that was not reached has certainly not done it.
    if (!answer.failed_with(Errc::unavailable)) return fail(std::move(answer).error());
    away = std::move(answer).error();
  }
  if (away && !standby) return fail(std::move(*away));
  return fail(Errc::unavailable,
              "no manager leads at the moment: another takes over within seconds, if the cluster "
              "store answers; the managers' logs say more");
}

Result<boost::json::array> admin_list(const Session& session, const std::string& path) {
  boost::json::array all;
  std::string token;
  while (true) {
    const std::string target =
        token.empty() ? path : fmt::format("{}?continuation_token={}", path, token);
    boost::json::object page = TRY(admin_call(session, "GET", target));
    const auto* items = page.if_contains("items");
    if (items == nullptr || !items->is_array()) {
      return fail(Errc::corrupt, "the answer to {} has no items", target);
    }
    for (const auto& item : items->as_array()) all.push_back(item);
    token = text_member(page, "continuation_token");
    if (token.empty()) return all;
  }
}

std::string named(const std::string& path, const std::string& name) {
  return path + "?names=" + admin::percent_encode(name);
}

}  // namespace turbine::cli
