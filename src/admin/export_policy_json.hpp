// Export policies as the admin API shows them.
#pragma once

#include <boost/json.hpp>

#include "proto/cluster.pb.h"

namespace turbine::admin {

/// {"client", "access": "rw" or "ro", "squash": "root", "none" or "all", "anonuid", "anongid",
/// "secure", "text": the rule as in exports(5)}
boost::json::object export_rule_json(const proto::NfsExportRule& rule);
/// {"name", "rules": […]}
boost::json::object export_policy_json(const proto::NfsExportPolicy& policy);

}  // namespace turbine::admin
