#include <csignal>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace {

using turbine::cli::Session;

CLI::App* add_group(CLI::App& app, const std::string& name, const std::string& description,
                    const std::string& example) {
  CLI::App* group = app.add_subcommand(name, description);
  group->require_subcommand(1);
  group->footer("Example:\n  " + example);
  return group;
}

void add_commands(CLI::App& app, Session& session) {
  using namespace turbine::cli;
  add_up(app, session);
  add_down(app, session);
  add_status(app, session);
  add_stats(app, session);

  CLI::App* blade = app.add_subcommand("blade", "blades of the array; with --config: be one");
  add_blade_list(*blade, session);
  add_blade_start(*blade, session);
  add_blade_stop(*blade, session);
  add_blade(*blade, session);

  CLI::App* bucket = add_group(app, "bucket", "buckets", "turbine bucket create photos");
  add_bucket_list(*bucket, session);
  add_bucket_create(*bucket, session);
  add_bucket_set(*bucket, session);
  add_bucket_delete(*bucket, session);

  CLI::App* user = add_group(app, "user", "S3 users", "turbine user create alice");
  add_user_list(*user, session);
  add_user_create(*user, session);
  add_user_delete(*user, session);

  CLI::App* key = add_group(app, "key", "access keys of S3 users", "turbine key create alice");
  add_key_create(*key, session);
  add_key_revoke(*key, session);

  CLI::App* exports = add_group(app, "export", "NFS exports: who may mount what",
                                "turbine export set photos --rule '10.0.0.0/8(rw)'");
  add_export_list(*exports, session);
  add_export_set(*exports, session);
  add_export_test(*exports, session);

  CLI::App* config = add_group(app, "config", "backups of the array's records: map, users, keys",
                               "turbine config backup array.backup --dir ./array");
  add_config_backup(*config, session);
  add_config_restore(*config, session);

  add_manager(app, session);
  add_gateway(app, session);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  Session session;
  CLI::App app{"Turbine, a scale-out storage array", "turbine"};
  app.set_version_flag("--version", "turbine " TURBINE_VERSION);
  app.footer("Example:\n  turbine up --dir ./array && turbine status --dir ./array");
  app.require_subcommand(0, 1);
  add_commands(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? turbine::cli::kOk : turbine::cli::kUsage;
  }
  if (!session.run) {
    std::fputs(app.help().c_str(), stdout);
    return turbine::cli::kUsage;
  }
  return session.run();
}
