#include "bladed/blade_process.hpp"
#include "cli/commands.hpp"

namespace turbine::cli {

/// `turbine blade --config FILE` is the process; `turbine blade list` and its like are commands.
void add_blade(CLI::App& blade, Session& session) {
  auto config = std::make_shared<std::string>();
  blade.add_option("--config", *config, "TOML file of a blade: be it, in the foreground");
  blade.require_subcommand(0, 1);
  blade.footer("Example:\n  turbine blade --config array/etc/blade-1.toml\n  turbine blade list");
  blade.final_callback([&blade, &session, config] {
    if (!blade.get_subcommands().empty()) return;
    if (config->empty()) throw CLI::RequiredError("--config FILE or a subcommand");
    session.run = [config] { return bladed::run_blade_process(*config); };
  });
}

}  // namespace turbine::cli
