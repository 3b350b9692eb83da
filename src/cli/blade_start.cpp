#include <fmt/format.h>

#include "cli/array_processes.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

Result<> start_blade(const ArrayDir& dir, uint32_t id) {
  const ArraySettings settings = TRY(dir.load());
  if (id == 0 || id > settings.blades) {
    return fail(Errc::not_found, "there is no blade {}; the array has blades 1 to {}", id,
                settings.blades);
  }
  const DirLock lock = TRY(DirLock::take(dir, DirLock::Kind::shared, kLockWaitMs));
  const std::string name = fmt::format("blade-{}", id);
  if (daemon_of(dir, name).running().has_value()) {
    return fail(Errc::conflict, "{} is running already", name);
  }
  TRY(start_process(dir, name));
  return wait_ready(dir, {name}, kReadyWaitMs);
}

int run_blade_start(Session& session, uint32_t id) {
  const ArrayDir dir(session.dir);
  if (auto started = start_blade(dir, id); !started.ok()) {
    if (started.failed_with(Errc::unavailable)) return report(kFailure, started.error().context);
    return report(started.error());
  }
  if (session.json()) {
    print_json(boost::json::object{{"name", fmt::format("blade-{}", id)}});
  } else {
    fmt::print("blade-{} serves\n", id);
  }
  return kOk;
}

}  // namespace

void add_blade_start(CLI::App& blade, Session& session) {
  auto id = std::make_shared<uint32_t>(0);
  CLI::App* command =
      add_command(blade, session, "start", "start a blade of this machine and wait until it serves",
                  "turbine blade start 3 --dir ./array",
                  [&session, id] { return run_blade_start(session, *id); });
  command->add_option("N", *id, "number of the blade")->required();
  add_dir_option(command, session, true);
}

}  // namespace turbine::cli
