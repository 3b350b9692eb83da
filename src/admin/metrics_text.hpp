// Prometheus text format, and the numbers that every process has.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "proto/cluster.pb.h"

namespace turbine::admin {

/// Builds one scrape. Samples of one metric must be added one after another.
class MetricsText {
 public:
  /// `labels`: as in the text format without braces, e.g. label("blade", 3); may be empty.
  void counter(std::string_view name, std::string_view help, double value,
               std::string_view labels = {}) {
    sample(name, "counter", help, value, labels);
  }
  void gauge(std::string_view name, std::string_view help, double value,
             std::string_view labels = {}) {
    sample(name, "gauge", help, value, labels);
  }
  const std::string& text() const { return text_; }

  static std::string label(std::string_view name, std::string_view value);

 private:
  void sample(std::string_view name, std::string_view type, std::string_view help, double value,
              std::string_view labels);
  std::string text_;
  std::set<std::string, std::less<>> described_;
};

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

/// CPU and memory of this process from /proc/self, uptime, name; operations are the caller's.
proto::ProcessStatsReply own_process_stats(std::string_view process);
/// CPU, memory, uptime and operations of one process.
void add_process_metrics(MetricsText& metrics, const proto::ProcessStatsReply& process);

}  // namespace turbine::admin
