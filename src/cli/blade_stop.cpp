#include <fmt/format.h>

#include "cli/array_processes.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

Result<bool> stop_blade(const ArrayDir& dir, uint32_t id) {
  const ArraySettings settings = TRY(dir.load());
  if (id == 0 || id > settings.blades) {
    return fail(Errc::not_found, "there is no blade {}; the array has blades 1 to {}", id,
                settings.blades);
  }
  const DirLock lock = TRY(DirLock::take(dir, DirLock::Kind::shared, kLockWaitMs));
  return daemon_of(dir, fmt::format("blade-{}", id)).stop(kStopWaitMs);
}

int run_blade_stop(Session& session, uint32_t id) {
  const ArrayDir dir(session.dir);
  const auto stopped = stop_blade(dir, id);
  if (!stopped.ok()) return report(stopped.error());
  if (session.json()) {
    print_json(
        boost::json::object{{"name", fmt::format("blade-{}", id)}, {"was_running", *stopped}});
  } else {
    fmt::print("blade-{} {}\n", id, *stopped ? "stopped" : "was not running");
  }
  return kOk;
}

}  // namespace

void add_blade_stop(CLI::App& blade, Session& session) {
  auto id = std::make_shared<uint32_t>(0);
  CLI::App* command = add_command(blade, session, "stop", "stop a blade of this machine cleanly",
                                  "turbine blade stop 3 --dir ./array",
                                  [&session, id] { return run_blade_stop(session, *id); });
  command->add_option("N", *id, "number of the blade")->required();
  add_dir_option(command, session, true);
}

}  // namespace turbine::cli
