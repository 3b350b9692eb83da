#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

NfsTask<GetattrResult> nfs3_getattr(Request request, GetattrArgs args) {
  const auto file = CO_TRY(co_await request.open(args.object));
  const fs::FileStat stat = CO_TRY(co_await request.env.files.stat(file.inode));
  GetattrResult result;
  result.attributes = to_fattr3(stat, file.export_root);
  co_return result;
}

}  // namespace turbine::nfs
