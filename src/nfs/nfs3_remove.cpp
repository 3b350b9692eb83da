#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

NfsTask<WccResult> nfs3_remove(Request request, RemoveArgs args) {
  const auto directory = CO_TRY(co_await request.open_to_change(args.object.dir));
  if (is_dot_or_dotdot(args.object.name)) co_return nfs_fail(Nfsstat3::isdir);
  std::string name = CO_TRY(checked_name(args.object.name));
  const fs::FileChange change = CO_TRY(co_await request.env.files.remove(
      request.mutation(), request.who(directory.access), directory.inode, std::move(name)));
  WccResult result;
  result.wcc = to_wcc_data(change, directory.export_root);
  co_return result;
}

}  // namespace turbine::nfs
