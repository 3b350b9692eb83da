#include <fmt/format.h>

#include <chrono>
#include <map>
#include <thread>

#include "cli/admin_call.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace turbine::cli {

namespace {

using boost::json::object;

struct StatsOptions {
  double interval_s = 1.0;
  uint32_t count = 1;
};

double number(const object& from, std::string_view name) {
  return from.at(name).to_number<double>();
}

using Sample = std::map<std::string, object>;

Sample by_name(const boost::json::array& items) {
  Sample out;
  for (const auto& item : items) {
    out[std::string(item.as_object().at("name").as_string())] = item.as_object();
  }
  return out;
}

/// Rates between two samples of one process.
object rates(const object* before, const object& after, double seconds) {
  object out;
  out["name"] = after.at("name");
  const double spent =
      before == nullptr ? 0 : number(after, "cpu_seconds") - number(*before, "cpu_seconds");
  out["cpu_percent"] = spent / seconds * 100;
  out["resident_bytes"] = after.at("resident_bytes");
  Sample earlier;
  if (before != nullptr) earlier = by_name(before->at("operations").as_array());
  double all_operations = 0;
  boost::json::array operations;
  for (const auto& value : after.at("operations").as_array()) {
    const object& now = value.as_object();
    const auto then = earlier.find(std::string(now.at("name").as_string()));
    const auto grown = [&](std::string_view name) {
      return number(now, name) - (then == earlier.end() ? 0 : number(then->second, name));
    };
    all_operations += grown("count");
    object row;
    row["name"] = now.at("name");
    row["per_second"] = grown("count") / seconds;
    row["errors_per_second"] = grown("errors") / seconds;
    row["bytes_per_second"] = grown("bytes") / seconds;
    row["p50_us"] = now.at("p50_us");
    row["p99_us"] = now.at("p99_us");
    operations.push_back(std::move(row));
  }
  out["operations_per_second"] = all_operations / seconds;
  out["cpu_us_per_operation"] = all_operations > 0 ? spent * 1e6 / all_operations : 0.0;
  out["operations"] = std::move(operations);
  return out;
}

void print_rates(const boost::json::array& processes) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : processes) {
    const object& process = value.as_object();
    rows.push_back({std::string(process.at("name").as_string()), "",
                    fmt::format("{:.0f}", number(process, "operations_per_second")), "", "", "",
                    fmt::format("{:.1f}", number(process, "cpu_percent")),
                    fmt::format("{:.0f}", number(process, "cpu_us_per_operation")),
                    size_text(static_cast<uint64_t>(number(process, "resident_bytes")))});
    for (const auto& inner : process.at("operations").as_array()) {
      const object& operation = inner.as_object();
      if (number(operation, "per_second") == 0) continue;
      rows.push_back({"", std::string(operation.at("name").as_string()),
                      fmt::format("{:.0f}", number(operation, "per_second")),
                      fmt::format("{:.1f}", number(operation, "bytes_per_second") / 1e6),
                      fmt::format("{:.0f}", number(operation, "p50_us")),
                      fmt::format("{:.0f}", number(operation, "p99_us")), "", "", ""});
    }
  }
  print_table(
      {"PROCESS", "OPERATION", "PER S", "MB/S", "P50 US", "P99 US", "CPU %", "CPU US/OP", "MEMORY"},
      rows);
}

int run_stats(Session& session, const StatsOptions& options) {
  using Clock = std::chrono::steady_clock;
  auto before = admin_list(session, "/api/v1/stats");
  if (!before.ok()) return report(before.error());
  auto taken = Clock::now();
  for (uint32_t i = 0; options.count == 0 || i < options.count; ++i) {
    std::this_thread::sleep_for(std::chrono::duration<double>(options.interval_s));
    auto after = admin_list(session, "/api/v1/stats");
    if (!after.ok()) return report(after.error());
    const double seconds = std::chrono::duration<double>(Clock::now() - taken).count();
    taken = Clock::now();
    const Sample earlier = by_name(*before);
    boost::json::array processes;
    for (const auto& value : *after) {
      const object& process = value.as_object();
      const auto found = earlier.find(std::string(process.at("name").as_string()));
      processes.push_back(
          rates(found == earlier.end() ? nullptr : &found->second, process, seconds));
    }
    if (session.json()) {
      print_json(processes);
    } else {
      print_rates(processes);
    }
    std::fflush(stdout);
    before = std::move(after);
  }
  return kOk;
}

}  // namespace

void add_stats(CLI::App& app, Session& session) {
  auto options = std::make_shared<StatsOptions>();
  CLI::App* command =
      add_command(app, session, "stats", "rates, latencies and CPU per operation, live",
                  "turbine stats --dir ./array --interval 2 --count 0",
                  [&session, options] { return run_stats(session, *options); });
  command->add_option("--interval", options->interval_s, "seconds between two samples")
      ->check(CLI::Range(0.1, 3600.0));
  command->add_option("--count", options->count, "samples to print; 0: until interrupted");
  add_dir_option(command, session, false);
}

}  // namespace turbine::cli
