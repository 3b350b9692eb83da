#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

int run_bucket_list(Session& session) {
  const auto buckets = admin_list(session, "/api/v1/buckets");
  if (!buckets.ok()) return report(buckets.error());
  if (session.json()) {
    print_json(*buckets);
    return kOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : *buckets) {
    const auto& bucket = value.as_object();
    const auto& space = bucket.at("space");
    const bool known = space.is_object();
    const auto& limit = bucket.at("quota_limit");
    std::string quota = "-";
    if (!limit.is_null()) {
      quota = size_text(limit.to_number<uint64_t>());
      if (!bucket.at("quota_enforced").as_bool()) quota += " (counting)";
    }
    rows.push_back({std::string(bucket.at("name").as_string()),
                    std::string(bucket.at("created").as_string()),
                    known ? std::to_string(bucket.at("object_count").to_number<uint64_t>()) : "?",
                    known ? size_text(space.as_object().at("virtual").to_number<uint64_t>()) : "?",
                    std::move(quota)});
  }
  print_table({"NAME", "CREATED", "OBJECTS", "USED", "QUOTA"}, rows);
  return kOk;
}

}  // namespace

void add_bucket_list(CLI::App& bucket, Session& session) {
  CLI::App* command =
      add_command(bucket, session, "list", "all buckets", "turbine bucket list --dir ./array",
                  [&] { return run_bucket_list(session); });
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
