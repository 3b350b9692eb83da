#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

/// The target is any string without NUL, up to 1024 bytes; nobody here follows it.
NfsTask<CreateResult> nfs3_symlink(Request request, SymlinkArgs args) {
  const auto directory = CO_TRY(co_await request.open_to_change(args.where.dir));
  if (args.target.size() > kPathBytesMax) co_return nfs_fail(Nfsstat3::nametoolong);
  if (args.target.empty() || args.target.contains('\0')) co_return nfs_fail(Nfsstat3::inval);
  fs::NewFileRequest file;
  file.directory = directory.inode;
  file.name = CO_TRY(new_name(args.where.name));
  file.attributes = CO_TRY(to_new_stat(args.attributes));
  file.type = fs::FileType::symlink;
  file.target = args.target;
  const fs::MadeFile made = CO_TRY(co_await request.env.files.make_symlink(
      request.mutation(), request.who(directory.access), std::move(file)));
  co_return created(request, directory, made);
}

}  // namespace turbine::nfs
