#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

NfsTask<CreateResult> nfs3_mkdir(Request request, MkdirArgs args) {
  const auto directory = CO_TRY(co_await request.open_to_change(args.where.dir));
  fs::NewFileRequest file;
  file.directory = directory.inode;
  file.name = CO_TRY(new_name(args.where.name));
  file.attributes = CO_TRY(to_new_stat(args.attributes));
  file.type = fs::FileType::directory;
  const fs::MadeFile made = CO_TRY(co_await request.env.files.make_directory(
      request.mutation(), request.who(directory.access), std::move(file)));
  co_return created(request, directory, made);
}

}  // namespace turbine::nfs
