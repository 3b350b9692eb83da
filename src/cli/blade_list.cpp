#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

int run_blade_list(Session& session) {
  const auto blades = admin_list(session, "/api/v1/blades");
  if (!blades.ok()) return report(blades.error());
  if (session.json()) {
    print_json(*blades);
    return kOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : *blades) {
    const auto& blade = value.as_object();
    rows.push_back({std::string(blade.at("name").as_string()),
                    std::string(blade.at("status").as_string()),
                    size_text(blade.at("used").to_number<uint64_t>()),
                    size_text(blade.at("raw_capacity").to_number<uint64_t>()),
                    std::to_string(blade.at("partitions").to_number<uint64_t>()),
                    std::string(blade.at("since").as_string())});
  }
  print_table({"NAME", "STATUS", "USED", "CAPACITY", "PARTITIONS", "SINCE"}, rows);
  return kOk;
}

}  // namespace

void add_blade_list(CLI::App& blade, Session& session) {
  CLI::App* command =
      add_command(blade, session, "list", "all blades and their states",
                  "turbine blade list --dir ./array", [&] { return run_blade_list(session); });
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
