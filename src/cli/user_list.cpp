#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

int run_user_list(Session& session) {
  const auto users = admin_list(session, "/api/v1/object-store-users");
  if (!users.ok()) return report(users.error());
  if (session.json()) {
    print_json(*users);
    return kOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : *users) {
    const auto& user = value.as_object();
    std::string keys;
    for (const auto& key : user.at("access_keys").as_array()) {
      keys += (keys.empty() ? "" : " ") + std::string(key.as_string());
    }
    rows.push_back({std::string(user.at("name").as_string()),
                    std::to_string(user.at("id").to_number<uint64_t>()),
                    std::string(user.at("created").as_string()), keys});
  }
  print_table({"NAME", "ID", "CREATED", "ACCESS KEYS"}, rows);
  return kOk;
}

}  // namespace

void add_user_list(CLI::App& user, Session& session) {
  CLI::App* command =
      add_command(user, session, "list", "all users and their access keys",
                  "turbine user list --dir ./array", [&] { return run_user_list(session); });
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
