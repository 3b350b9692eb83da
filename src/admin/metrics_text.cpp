#include "admin/metrics_text.hpp"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <fstream>

namespace turbine::admin {

namespace {

const auto kProcessStart = std::chrono::steady_clock::now();

uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

}  // namespace

std::string MetricsText::label(std::string_view name, std::string_view value) {
  std::string out(name);
  out += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

void MetricsText::sample(std::string_view name, std::string_view type, std::string_view help,
                         double value, std::string_view labels) {
  if (described_.emplace(name).second) {
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  text_ += name;
  if (!labels.empty()) text_ += fmt::format("{{{}}}", labels);
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    text_ += fmt::format(" {}\n", static_cast<int64_t>(value));
  } else {
    text_ += fmt::format(" {}\n", value);
  }
}

proto::ProcessStatsReply own_process_stats(std::string_view process) {
  proto::ProcessStatsReply stats;
  stats.set_process(std::string(process));
  stats.set_cpu_seconds(cpu_seconds());
  stats.set_resident_bytes(resident_bytes());
  const auto age = std::chrono::steady_clock::now() - kProcessStart;
  stats.set_uptime_ms(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(age).count()));
  return stats;
}

void add_process_metrics(MetricsText& metrics, const proto::ProcessStatsReply& process) {
  const std::string name = MetricsText::label("process", process.process());
  metrics.counter("turbine_process_cpu_seconds_total", "CPU time used", process.cpu_seconds(),
                  name);
  metrics.gauge("turbine_process_resident_bytes", "Resident memory",
                static_cast<double>(process.resident_bytes()), name);
  metrics.gauge("turbine_process_uptime_seconds", "Time since start",
                static_cast<double>(process.uptime_ms()) / 1000, name);
  const auto each = [&](auto add) {
    for (const proto::OperationStats& operation : process.operations()) {
      add(operation, name + "," + MetricsText::label("operation", operation.name()));
    }
  };
  each([&](const auto& operation, const std::string& labels) {
    metrics.counter("turbine_operations_total", "Operations answered",
                    static_cast<double>(operation.count()), labels);
  });
  each([&](const auto& operation, const std::string& labels) {
    metrics.counter("turbine_operation_errors_total", "Operations answered with an error",
                    static_cast<double>(operation.errors()), labels);
  });
  each([&](const auto& operation, const std::string& labels) {
    metrics.counter("turbine_operation_bytes_total", "Payload bytes",
                    static_cast<double>(operation.bytes()), labels);
  });
  each([&](const auto& operation, const std::string& labels) {
    metrics.gauge("turbine_operation_latency_seconds", "Latency by quantile",
                  operation.p50_us() * 1e-6, labels + ",quantile=\"0.5\"");
    metrics.gauge("turbine_operation_latency_seconds", "Latency by quantile",
                  operation.p99_us() * 1e-6, labels + ",quantile=\"0.99\"");
  });
}

}  // namespace turbine::admin
