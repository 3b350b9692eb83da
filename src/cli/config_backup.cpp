#include "cluster/config_backup.hpp"

#include <fmt/format.h>

#include "base/config_file.hpp"
#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

constexpr unsigned kOnlyOwner = 0600;

int run_config_backup(Session& session, const std::string& file) {
  const auto answer = admin_call(session, "GET", "/api/v1/config");
  if (!answer.ok()) return report(answer.error());
  const std::string text = boost::json::serialize(*answer) + "\n";
  // Whatever became of it on the way shows now and not when it is needed.
  const auto backup = cluster::decode_config_backup(text);
  if (!backup.ok()) {
    return report(kFailure,
                  fmt::format("the backup that came is not sound: {}", backup.error().context));
  }
  if (file == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return std::fflush(stdout) == 0 ? kOk : report(kFailure, "standard output can't be written");
  }
  if (auto written = write_file(file, text, kOnlyOwner); !written.ok()) {
    return report(written.error());
  }
  if (session.json()) {
    print_json(boost::json::object{{"file", file},
                                   {"array_id", backup->array_id},
                                   {"store_revision", backup->store_revision},
                                   {"records", backup->records.size()}});
    return kOk;
  }
  fmt::print(
      "{} holds the records of array {} at revision {}. It contains the secret keys of all "
      "users: only its owner may read it (mode 0600).\n",
      file, backup->array_id, backup->store_revision);
  return kOk;
}

}  // namespace

void add_config_backup(CLI::App& config, Session& session) {
  auto file = std::make_shared<std::string>();
  CLI::App* command =
      add_command(config, session, "backup",
                  "write the cluster store's records (map, users, secret keys) to FILE, mode 0600",
                  "turbine config backup array.backup --dir ./array",
                  [&session, file] { return run_config_backup(session, *file); });
  command->add_option("FILE", *file, "to be written or replaced; - for standard output")
      ->required();
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
