#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

namespace {

boost::json::array jobs(const ArrayStatus& status) {
  boost::json::array out;
  if (status.degraded_stripes > 0 || status.repair.stripes_waiting() > 0) {
    boost::json::object job;
    job["name"] = "repair";
    job["stripes_waiting"] = std::max(status.repair.stripes_waiting(), status.degraded_stripes);
    job["stripes_repaired"] = status.repair.stripes_repaired();
    job["bytes_repaired"] = status.repair.bytes_repaired();
    out.push_back(std::move(job));
  }
  if (status.small_bytes > 0) {
    boost::json::object job;
    job["name"] = "destage";
    job["bytes_waiting"] = status.small_bytes;
    out.push_back(std::move(job));
  }
  return out;
}

boost::json::array id_list(const std::vector<uint32_t>& ids) {
  return boost::json::array(ids.begin(), ids.end());
}

boost::json::object protection(const ArrayStatus& status) {
  boost::json::object out;
  out["layout"] = fmt::format("{}+{}", status.data_count, status.parity_count);
  out["data_shards"] = status.data_count;
  out["parity_shards"] = status.parity_count;
  out["data_tolerance"] = status.data_tolerance;
  out["metadata_tolerance"] = status.metadata_tolerance;
  out["metadata_replicas"] = status.replicas_wanted;
  out["striped_fraction"] = status.striped_fraction();
  out["small_bytes"] = status.small_bytes;
  out["striped_bytes"] = status.striped_bytes;
  out["degraded_stripes"] = status.degraded_stripes;
  out["lost_stripes"] = status.lost_stripes;
  out["stripes_repaired"] = status.repair.stripes_repaired();
  out["checksum_errors"] = status.repair.checksum_errors();
  out["quarantined_shards"] = status.repair.quarantined_shards();
  return out;
}

}  // namespace

Task<HttpResponse> get_arrays(ArrayControl& array, HttpRequest request) {
  const cluster::MapPtr map = array.map();
  const ArrayStatus status = array_status(*map, array.reports());
  boost::json::object item;
  item["name"] = map->record().array_name();
  item["id"] = map->record().array_id();
  item["os"] = "Turbine";
  item["version"] = TURBINE_VERSION;
  item["region"] = map->record().region();
  item["epoch"] = map->epoch().value;
  item["state"] = array_state_name(status.state);
  item["advice"] = status.advice;
  item["blades"] = {{"total", status.blades_total},
                    {"alive", status.blades_alive},
                    {"suspect", status.blades_suspect},
                    {"full", status.blades_full}};
  item["partitions"] = {{"total", status.partitions_total},
                        {"unavailable", status.partitions_unavailable.size()},
                        {"at_risk", status.partitions_at_risk},
                        {"recruiting", status.partitions_recruiting},
                        {"unavailable_ids", id_list(status.partitions_unavailable)}};
  item["protection"] = protection(status);
  item["space"] = {{"capacity", status.capacity_bytes},
                   {"used", status.used_bytes},
                   {"usable", status.usable_bytes},
                   {"objects", status.object_count},
                   {"object_bytes", status.object_bytes}};
  item["jobs"] = jobs(status);
  boost::json::array nfs;
  for (const std::string& address : array.nfs_addresses()) nfs.emplace_back(address);
  item["nfs"] = std::move(nfs);
  boost::json::array items;
  items.push_back(std::move(item));
  co_return list_answer(request, std::move(items));
}

}  // namespace turbine::admin
