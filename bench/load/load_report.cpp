#include "load_report.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "latencies.hpp"

namespace turbine::bench {
namespace {

/// What CPU time is divided by.
struct Totals {
  double operations = 0, gigabytes = 0, items = 0;
};

Totals totals_of(const LoadResult& result) {
  Totals totals;
  for (const auto& [operation, stats] : result.operations) {
    totals.operations += static_cast<double>(stats.count);
    totals.gigabytes += static_cast<double>(stats.bytes) / 1e9;
    totals.items += static_cast<double>(stats.items);
  }
  return totals;
}

double per(double value, double count) {
  return count > 0 ? value / count : 0;
}

std::vector<CpuUse> cpu_rows(const LoadResult& result) {
  return cpu_rows(result.server_cpu, result.client_cpu_seconds, result.machine_cpu_seconds);
}

}  // namespace

std::string report_text(const LoadOptions& options, const LoadResult& result) {
  std::string text = fmt::format("{} bytes per object, {} connections, {:.1f} s\n",
                                 options.object_bytes, options.connections, result.seconds);
  text += fmt::format("{:<11}{:>10}{:>8}{:>11}{:>11}{:>10}{:>10}{:>10}\n", "operation", "count",
                      "errors", "per s", "MB/s", "p50 ms", "p99 ms", "max ms");
  for (const auto& [operation, stats] : result.operations) {
    text +=
        fmt::format("{:<11}{:>10}{:>8}{:>11.1f}{:>11.1f}{:>10.2f}{:>10.2f}{:>10.2f}\n",
                    operation_name(operation), stats.count, stats.errors,
                    static_cast<double>(stats.count) / result.seconds,
                    static_cast<double>(stats.bytes) / 1e6 / result.seconds,
                    percentile_ms(stats.latencies_us, 0.5), percentile_ms(stats.latencies_us, 0.99),
                    percentile_ms(stats.latencies_us, 1));
    if (stats.items > 0) {
      text += fmt::format("{:<11}{:>10}{:>8}{:>11.0f}\n", "  keys", stats.items, "",
                          static_cast<double>(stats.items) / result.seconds);
    }
  }
  const Totals totals = totals_of(result);
  text += fmt::format("{:<11}{:>10}{:>8}{:>11}{:>11}{:>10}\n", "process", "CPU s", "cores",
                      "us per op", "s per GB", totals.items > 0 ? "us/key" : "");
  for (const CpuUse& use : cpu_rows(result)) {
    text += fmt::format("{:<11}{:>10.2f}{:>8.2f}{:>11.1f}{:>11.3f}", use.name, use.seconds,
                        use.seconds / result.seconds, per(use.seconds * 1e6, totals.operations),
                        per(use.seconds, totals.gigabytes));
    if (totals.items > 0) text += fmt::format("{:>10.2f}", use.seconds * 1e6 / totals.items);
    text += '\n';
  }
  return text;
}

std::string report_json(const LoadOptions& options, const LoadResult& result) {
  boost::json::object out;
  out["object_bytes"] = options.object_bytes;
  out["connections"] = options.connections;
  out["seconds"] = result.seconds;
  auto& operations = (out["operations"] = boost::json::object()).as_object();
  for (const auto& [operation, stats] : result.operations) {
    operations[operation_name(operation)] =
        boost::json::object{{"count", stats.count},
                            {"errors", stats.errors},
                            {"per_second", static_cast<double>(stats.count) / result.seconds},
                            {"bytes_per_second", static_cast<double>(stats.bytes) / result.seconds},
                            {"keys_per_second", static_cast<double>(stats.items) / result.seconds},
                            {"p50_ms", percentile_ms(stats.latencies_us, 0.5)},
                            {"p99_ms", percentile_ms(stats.latencies_us, 0.99)},
                            {"max_ms", percentile_ms(stats.latencies_us, 1)}};
  }
  const Totals totals = totals_of(result);
  auto& processes = (out["cpu"] = boost::json::object()).as_object();
  for (const CpuUse& use : cpu_rows(result)) {
    processes[use.name] =
        boost::json::object{{"seconds", use.seconds},
                            {"cores", use.seconds / result.seconds},
                            {"us_per_operation", per(use.seconds * 1e6, totals.operations)},
                            {"seconds_per_gb", per(use.seconds, totals.gigabytes)},
                            {"us_per_key", per(use.seconds * 1e6, totals.items)}};
  }
  return boost::json::serialize(out) + "\n";
}

}  // namespace turbine::bench
