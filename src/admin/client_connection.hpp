// A small blocking HTTP/1.1 client for the command line.
#pragma once

#include <string>

#include "admin/http.hpp"
#include "base/result.hpp"

namespace turbine::admin {

struct ClientRequest {
  std::string host;
  uint16_t port = 0;
  std::string method = "GET";
  std::string target = "/";
  std::string token;  // bearer; empty: none
  std::string body;
  int timeout_ms = 15000;  // for the whole exchange
};

/// One request on a connection of its own. Blocks. Errc::unavailable: nobody listens there.
/// Errc::timeout: no answer in time.
Result<HttpResponse> http_call(const ClientRequest& request);

}  // namespace turbine::admin
