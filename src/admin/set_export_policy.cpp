#include <boost/json.hpp>

#include "admin/export_policy_json.hpp"
#include "admin/operations.hpp"
#include "cluster/export_rules.hpp"

namespace turbine::admin {

/// Also of a bucket that is not there yet, so that it never is exported by other rules. `rules` may
/// be empty, which is for nobody, but not absent.
Task<HttpResponse> set_export_policy(ArrayControl& array, HttpRequest request) {
  proto::NfsExportPolicy policy;
  policy.set_name(CO_TRY(required_name(request)));
  CO_TRY(cluster::check_policy_name(policy.name()));
  const bool given = std::ranges::any_of(
      request.query, [](const auto& parameter) { return parameter.first == "rules"; });
  if (!given) co_return fail(Errc::invalid, "the parameter `rules` is missing");
  for (auto& rule : CO_TRY(cluster::parse_export_rules(request.parameter("rules")))) {
    *policy.add_rules() = std::move(rule);
  }
  CO_TRY(co_await array.set_export_policy(policy));
  co_return item_answer(export_policy_json(policy));
}

}  // namespace turbine::admin
