#include "cli/commands.hpp"
#include "managerd/manager_process.hpp"

namespace turbine::cli {

void add_manager(CLI::App& app, Session& session) {
  auto config = std::make_shared<std::string>();
  CLI::App* command = add_command(app, session, "manager", "be a manager, in the foreground",
                                  "turbine manager --config array/etc/manager.toml",
                                  [config] { return managerd::run_manager_process(*config); });
  command->add_option("--config", *config, "TOML file of this process")->required();
}

}  // namespace turbine::cli
