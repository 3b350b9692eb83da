#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <iterator>

#include "base/config_file.hpp"
#include "cli/array_processes.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "managerd/config_restore.hpp"

namespace turbine::cli {

namespace {

struct RestoreCommand {
  std::string file;
  std::string config;  // TOML of a manager; empty: --dir
  managerd::RestoreOptions options;
};

Result<cluster::ConfigBackup> load_backup(const std::string& file) {
  const std::string text = file == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {})
                                       : TRY(read_file(file));
  auto backup = cluster::decode_config_backup(text);
  if (!backup.ok()) {
    return fail(backup.error().code, "{} can't be restored: {}",
                file == "-" ? "standard input" : file, backup.error().context);
  }
  return backup;
}

Result<> check_stopped(const ArrayDir& dir, const ArraySettings& settings) {
  for (const std::string& name : ArrayDir::process_names(settings)) {
    if (!daemon_of(dir, name).running().has_value()) continue;
    return fail(Errc::conflict, "the array in {0} is up ({1} runs); `turbine down --dir {0}` first",
                dir.root(), name);
  }
  return {};
}

Result<> restore_dir(const ArrayDir& dir, cluster::ConfigBackup backup,
                     const managerd::RestoreOptions& options) {
  const DirLock lock = TRY(DirLock::take(dir, DirLock::Kind::exclusive, 0));
  const ArraySettings settings = TRY(dir.load());
  TRY(check_stopped(dir, settings));
  TRY(dir.make_directories(settings));
  TRY(write_configs(dir, settings));
  const auto config =
      TRY(managerd::load_manager_config(dir.config_path(ArrayDir::manager_name(1))));
  return managerd::restore_config(config, std::move(backup), options);
}

Result<> restore(const Session& session, const RestoreCommand& order,
                 cluster::ConfigBackup backup) {
  if (order.config.empty()) {
    return restore_dir(ArrayDir(session.dir), std::move(backup), order.options);
  }
  const auto config = TRY(managerd::load_manager_config(order.config));
  return managerd::restore_config(config, std::move(backup), order.options);
}

int run_config_restore(Session& session, const RestoreCommand& order) {
  if (session.dir.empty() == order.config.empty()) {
    return report(kUsage,
                  "which array? Give --dir DIR of `turbine up`, or --config MANAGER.toml of a "
                  "manager on this machine");
  }
  const auto backup = load_backup(order.file);
  if (!backup.ok()) return report(backup.error());
  const Result<> restored = restore(session, order, *backup);
  // Nothing was done, for the sake of what is there.
  if (restored.failed_with(Errc::denied))
    return report(kRefusedForSafety, restored.error().context);
  if (!restored.ok()) return report(restored.error());
  if (session.json()) {
    print_json(boost::json::object{{"array_id", backup->array_id},
                                   {"store_revision", backup->store_revision},
                                   {"records", backup->records.size()}});
    return kOk;
  }
  fmt::print(
      "The records of array {} are restored as of revision {}. Start the array: it serves when "
      "every blade{} has started anew and told what it holds; `turbine status` names those that "
      "are missing. Users and keys are those of the backup: keys revoked since are valid again.\n",
      backup->array_id, backup->store_revision,
      order.options.lost_blades.empty()
          ? ""
          : fmt::format(" but {}", fmt::join(order.options.lost_blades, ", ")));
  return kOk;
}

}  // namespace

void add_config_restore(CLI::App& config, Session& session) {
  auto order = std::make_shared<RestoreCommand>();
  CLI::App* command = add_command(
      config, session, "restore",
      "put a backup into the empty cluster store of the same array, whose managers are stopped",
      "turbine config restore array.backup --dir ./array",
      [&session, order] { return run_config_restore(session, *order); });
  command
      ->add_option("FILE", order->file, "that `turbine config backup` wrote; - for standard input")
      ->required();
  command->add_option("--dir", session.dir, "directory of an array of `turbine up`");
  command->add_option("--config", order->config,
                      "TOML of a manager of a deployed array (instead of --dir)");
  command
      ->add_option("--lost-blade", order->options.lost_blades,
                   "a blade that will not come back: the array does not wait for it, and gives up "
                   "what it alone holds; may be repeated")
      ->allow_extra_args(false);  // FILE may follow
  command->add_flag("--force", order->options.force,
                    "replace the records that the store holds, which are lost");
}

}  // namespace turbine::cli
