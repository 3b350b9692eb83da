#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

/// Between two exports: NFS3ERR_XDEV, even where both hold the same directory.
NfsTask<RenameResult> nfs3_rename(Request request, RenameArgs args) {
  const auto from = CO_TRY(co_await request.open_to_change(args.from.dir));
  const auto to = CO_TRY(co_await request.open_to_change(args.to.dir));
  if (from.export_root != to.export_root) co_return nfs_fail(Nfsstat3::xdev);
  if (is_dot_or_dotdot(args.from.name) || is_dot_or_dotdot(args.to.name)) {
    co_return nfs_fail(Nfsstat3::inval);
  }
  std::string from_name = CO_TRY(checked_name(args.from.name));
  std::string to_name = CO_TRY(checked_name(args.to.name));
  const fs::Files::Renamed renamed = CO_TRY(
      co_await request.env.files.rename(request.mutation(), request.who(from.access), from.inode,
                                        std::move(from_name), to.inode, std::move(to_name)));
  RenameResult result;
  result.from_wcc = to_wcc_data(renamed.from, from.export_root);
  result.to_wcc = to_wcc_data(renamed.to, to.export_root);
  co_return result;
}

}  // namespace turbine::nfs
