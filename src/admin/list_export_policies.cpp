#include <boost/json.hpp>

#include "admin/export_policy_json.hpp"
#include "admin/operations.hpp"

namespace turbine::admin {

/// Those that were set: buckets that are not among them have the policy "*".
Task<HttpResponse> list_export_policies(ArrayControl& array, HttpRequest request) {
  const cluster::MapPtr map = array.map();
  boost::json::array items;
  for (const proto::NfsExportPolicy& policy : map->record().nfs().policies()) {
    items.push_back(export_policy_json(policy));
  }
  co_return list_answer(request, std::move(items));
}

}  // namespace turbine::admin
