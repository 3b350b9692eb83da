#include <fmt/format.h>

#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

int run_bucket_delete(Session& session, const std::string& name) {
  const auto answer = admin_call(session, "DELETE", named("/api/v1/buckets", name));
  if (!answer.ok()) return report(answer.error());
  const auto& item = answer->at("items").as_array().at(0).as_object();
  if (session.json()) {
    print_json(item);
  } else {
    fmt::print("deleted bucket {}\n", name);
  }
  return kOk;
}

}  // namespace

void add_bucket_delete(CLI::App& bucket, Session& session) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = add_command(bucket, session, "delete", "delete an empty bucket",
                                  "turbine bucket delete photos --dir ./array",
                                  [&session, name] { return run_bucket_delete(session, *name); });
  command->add_option("NAME", *name, "of the bucket")->required();
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
