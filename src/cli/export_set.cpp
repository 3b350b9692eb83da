#include <fmt/format.h>

#include "admin/http.hpp"
#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/export_name.hpp"
#include "cluster/export_rules.hpp"

namespace turbine::cli {

namespace {

constexpr const char* kPolicies = "/api/v1/nfs-export-policies";

struct ExportSetOptions {
  std::string name;
  bool of_default = false, nobody = false, inherit = false;
  std::vector<std::string> rules;
};

Result<std::string> checked_name(const ExportSetOptions& options) {
  if (options.name.empty() != options.of_default) {
    return fail(Errc::invalid, "which export? Give BUCKET, / or --default");
  }
  const int ways =
      (options.rules.empty() ? 0 : 1) + (options.nobody ? 1 : 0) + (options.inherit ? 1 : 0);
  if (ways != 1) {
    return fail(Errc::invalid, "give rules with --rule, or --nobody, or --inherit");
  }
  if (options.inherit && (options.of_default || export_name(options.name) == "/")) {
    return fail(Errc::invalid, "only buckets inherit the default; --nobody closes {}",
                options.of_default ? "the default" : "/");
  }
  return options.of_default ? std::string(cluster::kDefaultPolicy) : export_name(options.name);
}

int run_inherit(Session& session, const std::string& name) {
  const auto answer = admin_call(session, "DELETE", named(kPolicies, name));
  if (!answer.ok()) return report(answer.error());
  if (session.json()) {
    print_json(answer->at("items").as_array().at(0));
  } else {
    fmt::print("{} has the default rules of buckets now\n", name);
  }
  return kOk;
}

int run_export_set(Session& session, const ExportSetOptions& options) {
  const auto name = checked_name(options);
  if (!name.ok()) return report(name.error());
  if (options.inherit) return run_inherit(session, *name);
  std::string rules;
  for (const std::string& rule : options.rules) rules += (rules.empty() ? "" : " ") + rule;
  const auto answer = admin_call(
      session, "PUT", named(kPolicies, *name) + "&rules=" + admin::percent_encode(rules));
  if (!answer.ok()) return report(answer.error());
  const auto& item = answer->at("items").as_array().at(0).as_object();
  if (session.json()) {
    print_json(item);
    return kOk;
  }
  const std::string what = options.of_default ? "the default of buckets" : *name;
  if (options.nobody) fmt::print("{} is exported to nobody\n", what);
  if (!options.nobody) fmt::print("{} is exported to\n", what);
  for (const auto& rule : item.at("rules").as_array()) {
    fmt::print("  {}\n", std::string(rule.as_object().at("text").as_string()));
  }
  return kOk;
}

}  // namespace

void add_export_set(CLI::App& group, Session& session) {
  auto options = std::make_shared<ExportSetOptions>();
  CLI::App* command =
      add_command(group, session, "set", "say who may mount an export, at once on every gateway",
                  "turbine export set photos --rule '10.0.0.0/8(rw)' --rule '*(ro,all_squash)'",
                  [&session, options] { return run_export_set(session, *options); });
  command->add_option("EXPORT", options->name, "a bucket, or / for all buckets as directories");
  command->add_flag("--default", options->of_default, "the rules of buckets without their own");
  command
      ->add_option("--rule", options->rules,
                   "CLIENT(OPTION,…) as in exports(5); of several the first whose client matches "
                   "decides. CLIENT: an address, a network, or *. Options: ro (else rw), "
                   "root_squash (else no_root_squash, all_squash), anonuid=65534, anongid=65534, "
                   "secure (else insecure)")
      ->take_all();
  command->add_flag("--nobody", options->nobody, "no client may mount it");
  command->add_flag("--inherit", options->inherit, "no rules of its own: the default of buckets");
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
