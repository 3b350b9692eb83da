#include <boost/json.hpp>
#include <map>

#include "admin/operations.hpp"

namespace turbine::admin {

Task<HttpResponse> list_blades(ArrayControl& array, HttpRequest request) {
  const cluster::MapPtr map = array.map();
  std::map<uint32_t, BladeReport> reports;
  for (BladeReport& report : array.reports()) {
    const uint32_t blade = report.blade;
    reports[blade] = std::move(report);
  }
  std::map<uint32_t, uint32_t> partitions;
  for (uint32_t i = 0; i < map->partition_count(); ++i) {
    ++partitions[map->primary(PartitionId(i)).value];
  }
  boost::json::array items;
  for (const proto::Blade& blade : map->record().blades()) {
    boost::json::object item;
    item["name"] = fmt::format("blade-{}", blade.id());
    item["id"] = blade.id();
    item["status"] = blade_state_name(blade.state());
    item["raw_capacity"] = blade.capacity_bytes();
    item["used"] = blade.used_bytes();
    item["full"] = blade.full();
    item["partitions"] = partitions[blade.id()];
    item["host"] = blade.host();
    item["address"] = blade.address();
    item["since"] = utc_text(static_cast<int64_t>(blade.state_since_ms()));
    const BladeReport& report = reports[blade.id()];
    item["trouble"] = report.heartbeat.trouble();
    item["checksum_errors"] = report.heartbeat.repair().checksum_errors();
    items.push_back(std::move(item));
  }
  co_return list_answer(request, std::move(items));
}

}  // namespace turbine::admin
