// Calls of the admin API, with the array found by --dir or by the environment.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "cli/session.hpp"

namespace turbine::cli {

struct AdminTarget {
  std::string host;
  uint16_t port = 0;
  std::string token;
};

/// Of each manager. --dir first, then TURBINE_ADMIN and TURBINE_TOKEN. Errc::invalid when there is
/// neither.
Result<std::vector<AdminTarget>> find_admin(const Session& session);

/// Sends to the manager that leads, and parses. A problem+json answer becomes an Error: its detail,
/// its hint in parentheses.
Result<boost::json::object> admin_call(const Session& session, const std::string& method,
                                       const std::string& target);
/// All pages of a list.
Result<boost::json::array> admin_list(const Session& session, const std::string& path);
/// "/api/v1/x?names=NAME", escaped.
std::string named(const std::string& path, const std::string& name);

}  // namespace turbine::cli
