#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

int run(Session& session) {
  const auto buckets = admin_list(session, "/api/v1/buckets");
  if (!buckets.ok()) return report(buckets.error());
  if (session.json()) {
    print_json(*buckets);
    return kOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : *buckets) {
    const auto& bucket = value.as_object();
    rows.push_back({std::string(bucket.at("name").as_string()),
                    std::string(bucket.at("created").as_string())});
  }
  print_table({"NAME", "CREATED"}, rows);
  return kOk;
}

}  // namespace

void add_bucket_list(CLI::App& bucket, Session& session) {
  CLI::App* command =
      add_command(bucket, session, "list", "all buckets", "turbine bucket list --dir ./array",
                  [&] { return run(session); });
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
