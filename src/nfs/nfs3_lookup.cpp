#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

/// ".." of the export's root is the root: nobody leaves an export by name.
NfsTask<LookupResult> nfs3_lookup(Request request, LookupArgs args) {
  const auto directory = CO_TRY(co_await request.open(args.what.dir));
  std::string name = CO_TRY(checked_name(args.what.name));
  if (directory.is_root() && name == "..") name = ".";
  const fs::FoundFile found = CO_TRY(co_await request.env.files.lookup(
      request.who(directory.access), directory.inode, std::move(name)));
  LookupResult result;
  result.object = request.handle(directory, found.file.id);
  result.attributes = to_fattr3(found.file, directory.export_root);
  result.dir_attributes = to_post_op_attr(found.directory, directory.export_root);
  co_return result;
}

}  // namespace turbine::nfs
