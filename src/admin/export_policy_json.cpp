#include "admin/export_policy_json.hpp"

#include "cluster/export_rules.hpp"

namespace turbine::admin {

boost::json::object export_rule_json(const proto::NfsExportRule& rule) {
  const bool none = rule.squash() == proto::NFS_SQUASH_NONE;
  const bool all = rule.squash() == proto::NFS_SQUASH_ALL;
  boost::json::object out;
  out["client"] = rule.client();
  out["access"] = rule.read_write() ? "rw" : "ro";
  out["squash"] = none ? "none" : all ? "all" : "root";
  out["anonuid"] = rule.anonymous_uid();
  out["anongid"] = rule.anonymous_gid();
  out["secure"] = !rule.insecure();
  out["text"] = cluster::export_rule_text(rule);
  return out;
}

boost::json::object export_policy_json(const proto::NfsExportPolicy& policy) {
  boost::json::array rules;
  for (const proto::NfsExportRule& rule : policy.rules()) rules.push_back(export_rule_json(rule));
  boost::json::object out;
  out["name"] = policy.name();
  out["rules"] = std::move(rules);
  return out;
}

}  // namespace turbine::admin
