#include <fmt/format.h>

#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

int run_user_create(Session& session, const std::string& name) {
  const auto answer = admin_call(session, "POST", named("/api/v1/object-store-users", name));
  if (!answer.ok()) return report(answer.error());
  const auto& item = answer->at("items").as_array().at(0).as_object();
  if (session.json()) {
    print_json(item);
    return kOk;
  }
  for (const char* member : {"name", "id", "access_key", "secret_key"}) {
    const auto& value = item.at(member);
    fmt::print("{} {}\n", member,
               value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value));
  }
  return kOk;
}

}  // namespace

void add_user_create(CLI::App& user, Session& session) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = add_command(user, session, "create", "make a user with an access key",
                                  "turbine user create alice --dir ./array",
                                  [&session, name] { return run_user_create(session, *name); });
  command->add_option("NAME", *name, "of the user")->required();
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
