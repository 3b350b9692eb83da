#include <fmt/format.h>

#include "cli/array_processes.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

/// Gateways first, so that no client meets an array without blades. Then the managers: a blade that
/// stops hands its partitions over to others, and of an array that stops as a whole the last blade
/// would be left as the only one in sync.
std::vector<std::vector<std::string>> stopping_order(const ArraySettings& settings) {
  std::vector<std::vector<std::string>> order(3);
  for (const std::string& name : ArrayDir::process_names(settings)) {
    order[name.starts_with("gateway") ? 0 : name.starts_with("blade") ? 2 : 1].push_back(name);
  }
  return order;
}

struct Outcome {
  std::vector<std::string> stopped, not_running;
};

Result<Outcome> bring_down(const ArrayDir& dir) {
  if (!dir.formatted()) return fail(Errc::not_found, "{} holds no array", dir.root());
  const DirLock lock = TRY(DirLock::take(dir, DirLock::Kind::exclusive, kLockWaitMs));
  const ArraySettings settings = TRY(dir.load());
  Outcome outcome;
  for (const auto& names : stopping_order(settings)) {
    for (const std::string& name : names) {
      const Daemon daemon = daemon_of(dir, name);
      (daemon.running().has_value() ? outcome.stopped : outcome.not_running).push_back(name);
      daemon.ask_to_stop();
    }
    for (const std::string& name : names) {
      TRY(daemon_of(dir, name).wait_stopped(kStopWaitMs));
    }
  }
  return outcome;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

int run_down(Session& session) {
  const ArrayDir dir(session.dir);
  const auto outcome = bring_down(dir);
  if (!outcome.ok()) return report(outcome.error());
  if (session.json()) {
    boost::json::object out;
    out["stopped"] = boost::json::value_from(outcome->stopped);
    out["not_running"] = boost::json::value_from(outcome->not_running);
    print_json(out);
    return kOk;
  }
  if (!outcome->stopped.empty()) fmt::print("stopped {}\n", joined(outcome->stopped));
  if (!outcome->not_running.empty()) fmt::print("not running: {}\n", joined(outcome->not_running));
  fmt::print("The data stays in {}; `turbine up --dir {}` starts it again.\n", dir.root(),
             dir.root());
  return kOk;
}

}  // namespace

void add_down(CLI::App& app, Session& session) {
  CLI::App* command =
      add_command(app, session, "down", "stop the array's processes on this machine",
                  "turbine down --dir ./array", [&] { return run_down(session); });
  add_dir_option(command, session, true);
}

}  // namespace turbine::cli
