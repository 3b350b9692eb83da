#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

/// One item per process: counters since its start. `turbine stats` turns two answers into rates.
Task<HttpResponse> get_stats(ArrayControl& array, HttpRequest request) {
  const auto processes = CO_TRY(co_await array.process_stats());
  boost::json::array items;
  for (const proto::ProcessStatsReply& process : processes) {
    boost::json::array operations;
    for (const proto::OperationStats& operation : process.operations()) {
      operations.push_back({{"name", operation.name()},
                            {"count", operation.count()},
                            {"errors", operation.errors()},
                            {"bytes", operation.bytes()},
                            {"p50_us", operation.p50_us()},
                            {"p99_us", operation.p99_us()}});
    }
    boost::json::object item;
    item["name"] = process.process();
    item["cpu_seconds"] = process.cpu_seconds();
    item["resident_bytes"] = process.resident_bytes();
    item["uptime_ms"] = process.uptime_ms();
    item["operations"] = std::move(operations);
    items.push_back(std::move(item));
  }
  co_return list_answer(request, std::move(items));
}

}  // namespace turbine::admin
