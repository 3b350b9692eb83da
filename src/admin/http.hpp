// What an HTTP operation sees of a request and gives back. No HTTP library above the connection.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/task.hpp"

namespace turbine::admin {

struct HttpRequest {
  std::string method;
  std::string path;                                        // decoded, without query
  std::vector<std::pair<std::string, std::string>> query;  // decoded
  std::string authorization;
  std::string body;

  /// The first value of a query parameter; empty when absent.
  std::string_view parameter(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

/// Runs on the reactor. An Error becomes a problem+json answer (see problem.hpp).
using HttpHandler = std::function<Task<HttpResponse>(HttpRequest request)>;

/// Splits `target` ("/a/b?x=1&y=%20") into path and query. Errc::invalid for bad escapes.
Result<> parse_target(std::string_view target, HttpRequest& request);
/// Percent-encodes everything but unreserved characters (RFC 3986).
std::string percent_encode(std::string_view text);
Result<std::string> percent_decode(std::string_view text);

}  // namespace turbine::admin
