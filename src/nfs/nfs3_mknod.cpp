#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

namespace {

/// badtype: what other procedures make, and what there is not.
NfsResult<fs::FileType> special_type(Ftype3 type) {
  switch (type) {
    case Ftype3::blk:
      return fs::FileType::block;
    case Ftype3::chr:
      return fs::FileType::character;
    case Ftype3::sock:
      return fs::FileType::socket;
    case Ftype3::fifo:
      return fs::FileType::fifo;
    case Ftype3::reg:
    case Ftype3::dir:
    case Ftype3::lnk:
      break;
  }
  return nfs_fail(Nfsstat3::badtype);
}

}  // namespace

NfsTask<CreateResult> nfs3_mknod(Request request, MknodArgs args) {
  const auto directory = CO_TRY(co_await request.open_to_change(args.where.dir));
  fs::NewFileRequest file;
  file.type = CO_TRY(special_type(args.type));
  file.directory = directory.inode;
  file.name = CO_TRY(new_name(args.where.name));
  file.attributes = CO_TRY(to_new_stat(args.attributes));
  file.device_major = args.device.major;
  file.device_minor = args.device.minor;
  const fs::MadeFile made = CO_TRY(co_await request.env.files.make_special(
      request.mutation(), request.who(directory.access), std::move(file)));
  co_return created(request, directory, made);
}

}  // namespace turbine::nfs
