#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  CLI::App app{"Turbine, a scale-out storage array", "turbine"};
  app.set_version_flag("--version", "turbine " TURBINE_VERSION);
  app.require_subcommand(0, 1);
  CLI11_PARSE(app, argc, argv);
  return 0;
}
