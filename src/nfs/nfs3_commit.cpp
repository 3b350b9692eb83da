#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

/// Every WRITE was durable when it was answered: all that is left to say is that the file lives.
NfsTask<CommitResult> nfs3_commit(Request request, CommitArgs args) {
  const auto file = CO_TRY(co_await request.open_to_change(args.file));
  const fs::FileStat stat = CO_TRY(co_await request.env.files.stat(file.inode));
  CommitResult result;
  result.wcc.after = to_fattr3(stat, file.export_root);
  result.verifier = request.env.write_verifier;
  co_return result;
}

}  // namespace turbine::nfs
