#include "cli/commands.hpp"
#include "gatewayd/gateway_process.hpp"

namespace turbine::cli {

void add_gateway(CLI::App& app, Session& session) {
  auto config = std::make_shared<std::string>();
  CLI::App* command = add_command(app, session, "gateway", "be a gateway, in the foreground",
                                  "turbine gateway --config array/etc/gateway-1.toml",
                                  [config] { return gatewayd::run_gateway_process(*config); });
  command->add_option("--config", *config, "TOML file of this process")->required();
}

}  // namespace turbine::cli
