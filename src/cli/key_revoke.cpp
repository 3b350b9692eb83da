#include <fmt/format.h>

#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

int run_key_revoke(Session& session, const std::string& name) {
  const auto answer =
      admin_call(session, "DELETE", named("/api/v1/object-store-access-keys", name));
  if (!answer.ok()) return report(answer.error());
  const auto& item = answer->at("items").as_array().at(0).as_object();
  if (session.json()) {
    print_json(item);
  } else {
    fmt::print("revoked key {}\n", name);
  }
  return kOk;
}

}  // namespace

void add_key_revoke(CLI::App& key, Session& session) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = add_command(key, session, "revoke", "refuse an access key from now on",
                                  "turbine key revoke AKEXAMPLE --dir ./array",
                                  [&session, name] { return run_key_revoke(session, *name); });
  command->add_option("ACCESS_KEY", *name, "to revoke")->required();
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
