#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

NfsTask<LinkResult> nfs3_link(Request request, LinkArgs args) {
  const auto file = CO_TRY(co_await request.open_to_change(args.file));
  const auto directory = CO_TRY(co_await request.open_to_change(args.link.dir));
  if (file.export_root != directory.export_root) co_return nfs_fail(Nfsstat3::xdev);
  std::string name = CO_TRY(new_name(args.link.name));
  const auto linked =
      co_await request.env.files.link(request.mutation(), request.who(directory.access), file.inode,
                                      directory.inode, std::move(name));
  if (linked.failed_with(Errc::too_large)) co_return nfs_fail(Nfsstat3::mlink);  // of its names
  if (!linked.ok()) co_return std::unexpected(NfsError(linked.error()));
  LinkResult result;
  result.attributes = to_fattr3(linked->file, file.export_root);
  result.dir_wcc = to_wcc_data(linked->directory, directory.export_root);
  co_return result;
}

}  // namespace turbine::nfs
