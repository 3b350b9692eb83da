// Every command of `turbine`, one source file each; main.cpp adds them all.
#pragma once

#include "cli/session.hpp"

namespace turbine::cli {

void add_up(CLI::App& app, Session& session);
void add_down(CLI::App& app, Session& session);
void add_status(CLI::App& app, Session& session);
void add_stats(CLI::App& app, Session& session);

void add_blade_list(CLI::App& blade, Session& session);
void add_blade_start(CLI::App& blade, Session& session);
void add_blade_stop(CLI::App& blade, Session& session);

void add_bucket_list(CLI::App& bucket, Session& session);
void add_bucket_create(CLI::App& bucket, Session& session);
void add_bucket_set(CLI::App& bucket, Session& session);
void add_bucket_delete(CLI::App& bucket, Session& session);

void add_user_list(CLI::App& user, Session& session);
void add_user_create(CLI::App& user, Session& session);
void add_user_delete(CLI::App& user, Session& session);

void add_export_list(CLI::App& group, Session& session);
void add_export_set(CLI::App& group, Session& session);
void add_export_test(CLI::App& group, Session& session);

void add_key_create(CLI::App& key, Session& session);
void add_key_revoke(CLI::App& key, Session& session);

void add_config_backup(CLI::App& config, Session& session);
void add_config_restore(CLI::App& config, Session& session);

// Processes, in the foreground. `turbine blade` alone is the daemon, with a subcommand a command.
void add_manager(CLI::App& app, Session& session);
void add_blade(CLI::App& blade, Session& session);
void add_gateway(CLI::App& app, Session& session);

}  // namespace turbine::cli
