// Paths, methods and authorisation of the admin API; health and metrics of every process.
#pragma once

#include <functional>
#include <string>

#include "admin/array_control.hpp"
#include "admin/http.hpp"

namespace turbine::admin {

/// The manager's handler. Without a valid `Authorization: Bearer` only health and metrics answer.
/// `array` must outlive the server.
HttpHandler make_admin_handler(ArrayControl& array, std::string token);

/// The handler of blades and gateways: /health/live, /health/ready (503 while `ready` says why
/// not) and /metrics.
struct ProcessPage {
  std::function<Result<>()> ready;
  std::function<std::string()> metrics;  // Prometheus text
};
HttpHandler make_process_handler(ProcessPage page);

}  // namespace turbine::admin
