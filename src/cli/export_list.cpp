#include <map>
#include <set>

#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cluster/export_rules.hpp"

namespace turbine::cli {

namespace {

using boost::json::array;
using boost::json::object;

constexpr const char* kArrayExport = "/";

std::map<std::string, array> rules_by_name(const array& policies) {
  std::map<std::string, array> out;
  for (const auto& value : policies) {
    const object& policy = value.as_object();
    out[std::string(policy.at("name").as_string())] = policy.at("rules").as_array();
  }
  return out;
}

/// Every export with the rules that decide there; at the end the default, and what waits for its
/// bucket.
array all_exports(const array& buckets, const std::map<std::string, array>& policies) {
  std::set<std::string> names{kArrayExport};
  for (const auto& bucket : buckets) {
    names.insert("/" + std::string(bucket.as_object().at("name").as_string()));
  }
  array out;
  const std::string of_default(cluster::kDefaultPolicy);
  const auto add = [&](const std::string& name, const char* from, const std::string& policy) {
    const auto found = policies.find(policy);
    out.push_back({{"name", name},
                   {"from", from},
                   {"rules", found == policies.end() ? array() : found->second}});
  };
  for (const std::string& name : names) {
    const bool own = policies.contains(name) || name == kArrayExport;
    add(name, own ? "own" : "default", own ? name : of_default);
  }
  add(of_default, "the default of buckets", of_default);
  for (const auto& [name, rules] : policies) {
    if (name != of_default && !names.contains(name)) add(name, "own; no such bucket yet", name);
  }
  return out;
}

void print_exports(const array& exports) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : exports) {
    const object& each = value.as_object();
    std::string name(each.at("name").as_string()), from(each.at("from").as_string());
    if (each.at("rules").as_array().empty()) rows.push_back({name, from, "(nobody)"});
    for (const auto& rule : each.at("rules").as_array()) {
      rows.push_back({name, from, std::string(rule.as_object().at("text").as_string())});
      name.clear();
      from.clear();
    }
  }
  print_table({"EXPORT", "RULES", "CLIENT, FIRST MATCH DECIDES"}, rows);
}

int run_export_list(Session& session) {
  const auto policies = admin_list(session, "/api/v1/nfs-export-policies");
  if (!policies.ok()) return report(policies.error());
  const auto buckets = admin_list(session, "/api/v1/buckets");
  if (!buckets.ok()) return report(buckets.error());
  const array exports = all_exports(*buckets, rules_by_name(*policies));
  if (session.json()) {
    print_json(exports);
  } else {
    print_exports(exports);
  }
  return kOk;
}

}  // namespace

void add_export_list(CLI::App& group, Session& session) {
  CLI::App* command = add_command(group, session, "list", "all exports and who may mount them",
                                  "turbine export list --dir ./array",
                                  [&session] { return run_export_list(session); });
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
