#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

NfsTask<FsstatResult> nfs3_fsstat(Request request, FsstatArgs args) {
  const auto file = CO_TRY(co_await request.open(args.fsroot));
  const fs::SpaceStat space = CO_TRY(co_await request.env.files.space(file.inode));
  FsstatResult result;
  result.tbytes = space.total_bytes;
  result.fbytes = result.abytes = space.free_bytes;
  result.tfiles = space.total_files;
  result.ffiles = result.afiles = space.free_files;
  co_return result;
}

}  // namespace turbine::nfs
