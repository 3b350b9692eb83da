#include "nfs/mount3.hpp"

namespace turbine::nfs {

NfsTask<ExportResult> mount3_export(Request request, MountNothing) {
  ExportResult result;
  std::vector<ExportEntry> entries = CO_TRY(co_await request.env.exports.list());
  for (ExportEntry& entry : entries) {
    ExportNode& node = result.exports.items.emplace_back();
    node.directory = std::move(entry.path);
    for (std::string& client : entry.clients) node.groups.items.push_back({std::move(client)});
  }
  co_return result;
}

}  // namespace turbine::nfs
