#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

namespace {

fs::CreateMode to_create_mode(Createmode3 mode) {
  switch (mode) {
    case Createmode3::unchecked:
      return fs::CreateMode::unchecked;
    case Createmode3::guarded:
      return fs::CreateMode::guarded;
    case Createmode3::exclusive:
      return fs::CreateMode::exclusive;
  }
  return fs::CreateMode::guarded;
}

}  // namespace

NfsResult<std::string> new_name(std::string_view name) {
  if (is_dot_or_dotdot(name)) return nfs_fail(Nfsstat3::exist);
  return checked_name(name);
}

CreateResult created(const Request& request, const Request::Opened& directory,
                     const fs::MadeFile& made) {
  CreateResult result;
  result.object = request.handle(directory, made.file.id);
  result.attributes = to_fattr3(made.file, directory.export_root);
  result.dir_wcc = to_wcc_data(made.directory, directory.export_root);
  return result;
}

NfsTask<CreateResult> nfs3_create(Request request, CreateArgs args) {
  const auto directory = CO_TRY(co_await request.open_to_change(args.where.dir));
  fs::NewFileRequest file;
  file.directory = directory.inode;
  file.name = CO_TRY(new_name(args.where.name));
  file.attributes = CO_TRY(to_new_stat(args.attributes));
  file.mode = to_create_mode(args.mode);
  file.verifier = args.verifier;
  const fs::MadeFile made = CO_TRY(co_await request.env.files.create(
      request.mutation(), request.who(directory.access), std::move(file)));
  co_return created(request, directory, made);
}

}  // namespace turbine::nfs
