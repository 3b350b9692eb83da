#include "admin/metrics_text.hpp"
#include "admin/operations.hpp"

namespace turbine::admin {

namespace {

void add_array_metrics(MetricsText& metrics, const cluster::ClusterMap& map,
                       const std::vector<BladeReport>& reports) {
  const ArrayStatus status = array_status(map, reports);
  metrics.gauge("turbine_array_state", "0 healthy, 1 degraded, 2 at risk, 3 unavailable",
                static_cast<double>(status.state));
  metrics.gauge("turbine_blades", "Blades of the array", status.blades_total);
  metrics.gauge("turbine_blades_alive", "Blades that serve", status.blades_alive);
  metrics.gauge("turbine_blades_full", "Blades that refuse new data", status.blades_full);
  metrics.gauge("turbine_data_tolerance", "Further blades that data survives the loss of",
                status.data_tolerance);
  metrics.gauge("turbine_metadata_tolerance", "Further blades that names survive the loss of",
                status.metadata_tolerance);
  metrics.gauge("turbine_partitions_unavailable", "Metadata partitions without a live replica",
                static_cast<double>(status.partitions_unavailable.size()));
  metrics.gauge("turbine_partitions_at_risk",
                "Metadata partitions with one live replica where more are wanted",
                status.partitions_at_risk);
  metrics.gauge("turbine_partitions_recruiting",
                "Metadata partitions with fewer live replicas than wanted",
                status.partitions_recruiting);
  metrics.gauge("turbine_capacity_bytes", "Raw capacity",
                static_cast<double>(status.capacity_bytes));
  metrics.gauge("turbine_used_bytes", "Raw space used", static_cast<double>(status.used_bytes));
  metrics.gauge("turbine_objects", "Objects and files", static_cast<double>(status.object_count));
  metrics.gauge("turbine_object_bytes", "Their bytes", static_cast<double>(status.object_bytes));
  metrics.gauge("turbine_small_bytes", "Bytes of files of 4 KiB and more not yet in stripes",
                static_cast<double>(status.small_bytes));
  metrics.gauge("turbine_degraded_stripes", "Stripes with missing shards",
                static_cast<double>(status.degraded_stripes));
  metrics.gauge("turbine_lost_stripes", "Stripes that can't be read: should be zero",
                static_cast<double>(status.lost_stripes));
  metrics.counter("turbine_stripes_repaired_total", "Stripes made whole again",
                  static_cast<double>(status.repair.stripes_repaired()));
  metrics.counter("turbine_checksum_errors_total", "Damaged shards found",
                  static_cast<double>(status.repair.checksum_errors()));
  for (const proto::Blade& blade : map.record().blades()) {
    metrics.gauge("turbine_blade_up", "1 when the blade serves", map.alive(BladeId(blade.id())),
                  MetricsText::label("blade", std::to_string(blade.id())));
  }
}

}  // namespace

/// The array as the manager sees it; each process has its own /metrics besides.
Task<HttpResponse> get_metrics(ArrayControl& array, HttpRequest) {
  MetricsText metrics;
  const cluster::MapPtr map = array.map();
  const bool leads = map != nullptr && !array.standby();
  metrics.gauge("turbine_manager_leads", "1 of the managers leads and knows the array", leads);
  if (leads) add_array_metrics(metrics, *map, array.reports());
  add_process_metrics(metrics, own_process_stats("manager"));
  co_return HttpResponse{200, std::string(kMetricsContentType), metrics.text()};
}

}  // namespace turbine::admin
