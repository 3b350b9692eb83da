#include <boost/json.hpp>

#include "admin/operations.hpp"

namespace turbine::admin {

Task<HttpResponse> get_space(ArrayControl& array, HttpRequest request) {
  const cluster::MapPtr map = array.map();
  const ArrayStatus status = array_status(*map, array.reports());
  boost::json::object item;
  item["name"] = map->record().array_name();
  item["capacity"] = status.capacity_bytes;
  item["usable"] = status.usable_bytes;
  item["parity"] =
      status.data_count == 0 ? 0.0 : static_cast<double>(status.parity_count) / status.data_count;
  item["space"] = {{"total_physical", status.used_bytes},
                   {"virtual", status.object_bytes},
                   {"unique", status.object_bytes},
                   {"objects", status.object_count}};
  boost::json::array items;
  items.push_back(std::move(item));
  co_return list_answer(request, std::move(items));
}

}  // namespace turbine::admin
