#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

/// "." is NFS3ERR_INVAL and ".." NFS3ERR_EXIST, as section 3.3.13 says.
NfsTask<WccResult> nfs3_rmdir(Request request, RmdirArgs args) {
  const auto directory = CO_TRY(co_await request.open_to_change(args.object.dir));
  if (is_dot(args.object.name)) co_return nfs_fail(Nfsstat3::inval);
  std::string name = CO_TRY(new_name(args.object.name));
  const fs::FileChange change = CO_TRY(co_await request.env.files.remove_directory(
      request.mutation(), request.who(directory.access), directory.inode, std::move(name)));
  WccResult result;
  result.wcc = to_wcc_data(change, directory.export_root);
  co_return result;
}

}  // namespace turbine::nfs
