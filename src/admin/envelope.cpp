#include <boost/json.hpp>
#include <charconv>
#include <ctime>

#include "admin/operations.hpp"

namespace turbine::admin {

namespace {

constexpr size_t kPageItemsMax = 1000;

Result<size_t> number_parameter(const HttpRequest& request, std::string_view name, size_t absent) {
  const std::string_view text = request.parameter(name);
  if (text.empty()) return absent;
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(Errc::invalid, "{}={} is not a number", name, text);
  }
  return value;
}

}  // namespace

Result<std::string> required_name(const HttpRequest& request) {
  const std::string_view name = request.parameter("names");
  if (name.empty()) return fail(Errc::invalid, "the parameter `names` is missing");
  return std::string(name);
}

Result<HttpResponse> list_answer(const HttpRequest& request, boost::json::array items) {
  const size_t asked = TRY(number_parameter(request, "limit", kPageItemsMax));
  const size_t limit = std::min(asked, kPageItemsMax);
  const size_t skip = TRY(number_parameter(request, "continuation_token", 0));
  const size_t total = items.size();
  boost::json::object body;
  boost::json::array page;
  for (size_t i = skip; i < total && page.size() < limit; ++i) page.push_back(std::move(items[i]));
  const size_t reached = std::min(total, skip) + page.size();
  body["items"] = std::move(page);
  body["total_item_count"] = total;
  body["continuation_token"] = nullptr;
  if (reached < total) body["continuation_token"] = std::to_string(reached);
  return HttpResponse{200, "application/json", boost::json::serialize(body)};
}

HttpResponse item_answer(boost::json::object item, int status) {
  boost::json::object body;
  body["items"] = boost::json::array{std::move(item)};
  body["total_item_count"] = 1;
  body["continuation_token"] = nullptr;
  return {status, "application/json", boost::json::serialize(body)};
}

std::string utc_text(int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, length};
}

}  // namespace turbine::admin
