#include <fmt/format.h>

#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

int run_user_delete(Session& session, const std::string& name) {
  const auto answer = admin_call(session, "DELETE", named("/api/v1/object-store-users", name));
  if (!answer.ok()) return report(answer.error());
  const auto& item = answer->at("items").as_array().at(0).as_object();
  if (session.json()) {
    print_json(item);
  } else {
    fmt::print("deleted user {}\n", name);
  }
  return kOk;
}

}  // namespace

void add_user_delete(CLI::App& user, Session& session) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = add_command(user, session, "delete", "delete a user and its access keys",
                                  "turbine user delete alice --dir ./array",
                                  [&session, name] { return run_user_delete(session, *name); });
  command->add_option("NAME", *name, "of the user")->required();
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
