#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

/// A guard that does not hold is NFS3ERR_NOT_SYNC.
NfsTask<WccResult> nfs3_setattr(Request request, SetattrArgs args) {
  const auto file = CO_TRY(co_await request.open_to_change(args.object));
  fs::NewStat stat = CO_TRY(to_new_stat(args.new_attributes));
  std::optional<int64_t> guard;
  if (args.guard) guard = to_ns(*args.guard);
  const fs::FileChange change = CO_TRY(co_await request.env.files.set_stat(
      request.mutation(), request.who(file.access), file.inode, std::move(stat), guard));
  WccResult result;
  result.wcc = to_wcc_data(change, file.export_root);
  co_return result;
}

}  // namespace turbine::nfs
