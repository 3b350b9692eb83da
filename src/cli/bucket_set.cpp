#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

constexpr const char* kBuckets = "/api/v1/buckets";
constexpr auto kCountPatience = std::chrono::seconds(30);

struct BucketSetOptions {
  std::string name, quota, owner, mode;
};

Result<std::string> query_of(const BucketSetOptions& options) {
  std::string query;
  if (options.quota == "none") query += "&quota=none";
  if (!options.quota.empty() && options.quota != "none") {
    query += fmt::format("&quota={}", TRY(parse_size(options.quota)));
  }
  if (!options.owner.empty()) {
    const size_t colon = options.owner.find(':');
    if (colon == std::string::npos) {
      return fail(Errc::invalid, "the owner {} is not UID:GID", options.owner);
    }
    query += "&uid=" + options.owner.substr(0, colon) + "&gid=" + options.owner.substr(colon + 1);
  }
  if (!options.mode.empty()) query += "&mode=" + options.mode;
  if (query.empty()) return fail(Errc::invalid, "give --quota, --owner or --mode");
  if (query.find_first_of(" %#") != std::string::npos) {
    return fail(Errc::invalid, "owner and mode are numbers: --owner 1000:1000 --mode 0770");
  }
  return query;
}

/// Waits until what the bucket holds is counted, or nobody counts it any more.
Result<boost::json::object> in_force(Session& session, const std::string& name, bool limited) {
  const auto until = std::chrono::steady_clock::now() + kCountPatience;
  for (;;) {
    for (const auto& value : TRY(admin_list(session, kBuckets))) {
      const auto& bucket = value.as_object();
      if (bucket.at("name").as_string() != name) continue;
      if (bucket.at("quota_enforced").as_bool() == limited) return bucket;
      if (std::chrono::steady_clock::now() >= until) {
        return fail(Errc::timeout,
                    "the quota of {} is written down but not in force yet, as partitions do not "
                    "answer: it will be when they do",
                    name);
      }
    }
    if (std::chrono::steady_clock::now() >= until) {
      return fail(Errc::not_found, "bucket {} is gone", name);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

int run_bucket_set(Session& session, const BucketSetOptions& options) {
  const auto query = query_of(options);
  if (!query.ok()) return report(query.error());
  const auto answer = admin_call(session, "PATCH", named(kBuckets, options.name) + *query);
  if (!answer.ok()) return report(answer.error());
  boost::json::object item = answer->at("items").as_array().at(0).as_object();
  const bool limited = !item.at("quota_limit").is_null();
  if (!options.quota.empty()) {
    const auto bucket = in_force(session, options.name, limited);
    if (!bucket.ok()) return report(bucket.error());
    for (const auto& member : *bucket) item[member.key()] = member.value();
  }
  if (session.json()) {
    print_json(item);
    return kOk;
  }
  const std::string quota =
      limited
          ? fmt::format("quota {}, of which {} are used",
                        size_text(item.at("quota_limit").to_number<uint64_t>()),
                        size_text(item.at("space").as_object().at("virtual").to_number<uint64_t>()))
          : "no quota";
  fmt::print("{}: owner {}:{}, mode {}, {}\n", options.name, item.at("uid").to_number<uint32_t>(),
             item.at("gid").to_number<uint32_t>(), std::string(item.at("mode").as_string()), quota);
  return kOk;
}

}  // namespace

void add_bucket_set(CLI::App& bucket, Session& session) {
  auto options = std::make_shared<BucketSetOptions>();
  CLI::App* command =
      add_command(bucket, session, "set", "give a bucket a quota, an owner, a mode",
                  "turbine bucket set photos --quota 10GiB --owner 1000:1000 --mode 0770",
                  [&session, options] { return run_bucket_set(session, *options); });
  command->add_option("NAME", options->name, "of the bucket")->required();
  command->add_option(
      "--quota", options->quota,
      "lengths of all its files together, as 10GiB; or none. Returns when it holds");
  command->add_option("--owner", options->owner,
                      "UID:GID, for NFS; objects made by S3 in it belong to them");
  command->add_option("--mode", options->mode,
                      "of its directory, octal; objects made by S3 in it have its rw bits");
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
