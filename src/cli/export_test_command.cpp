#include <fmt/format.h>

#include "admin/http.hpp"
#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/export_name.hpp"

namespace turbine::cli {

namespace {

using boost::json::object;

std::string field(const object& from, std::string_view name) {
  return std::string(from.at(name).as_string());
}

std::string policy_of(const object& item) {
  if (field(item, "policy") == "*") return "the default of buckets";
  return "the rules of " + field(item, "policy");
}

void print_refusal(const object& item) {
  fmt::print("refused: {} may not mount {}: ", field(item, "client"), field(item, "name"));
  if (item.at("policy").is_null()) {
    fmt::print("it has no rules\n");
  } else {
    fmt::print("{} name no such client\n", policy_of(item));
  }
}

void print_grant(const object& item) {
  const object& rule = item.at("rule").as_object();
  const std::string squash = field(rule, "squash");
  const std::string who = squash == "none"  ? "every user as itself, root too"
                          : squash == "all" ? "every user"
                                            : "root";
  fmt::print("allowed: {} may mount {}\n", field(item, "client"), field(item, "name"));
  fmt::print("  rule    {} of {}: {}\n", item.at("number").to_number<int>(), policy_of(item),
             field(rule, "text"));
  fmt::print("  access  {}\n", field(rule, "access") == "rw" ? "read and write" : "read only");
  fmt::print("  users   {}", who);
  if (squash != "none") {
    fmt::print(" is user {} and group {}", rule.at("anonuid").to_number<uint32_t>(),
               rule.at("anongid").to_number<uint32_t>());
  }
  fmt::print("\n  ports   {}\n", rule.at("secure").as_bool() ? "below 1024 only" : "any");
}

int run_export_test_command(Session& session, const std::string& name, const std::string& client) {
  const auto answer = admin_call(session, "GET",
                                 named("/api/v1/nfs-export-policies/test", export_name(name)) +
                                     "&client=" + admin::percent_encode(client));
  if (!answer.ok()) return report(answer.error());
  const object& item = answer->at("items").as_array().at(0).as_object();
  const bool allowed = item.at("allowed").as_bool();
  if (session.json()) {
    print_json(item);
  } else if (allowed) {
    print_grant(item);
  } else {
    print_refusal(item);
  }
  return allowed ? kOk : kDenied;
}

}  // namespace

void add_export_test(CLI::App& group, Session& session) {
  auto name = std::make_shared<std::string>();
  auto client = std::make_shared<std::string>();
  CLI::App* command = add_command(
      group, session, "test", "which rule decides about a client; exits 5 when it may not mount",
      "turbine export test --client 10.0.0.7 photos",
      [&session, name, client] { return run_export_test_command(session, *name, *client); });
  command->add_option("EXPORT", *name, "a bucket, or / for all buckets")->required();
  command->add_option("--client", *client, "the client's address")->required();
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
