#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

/// Computed from the mode, owner and group; nothing in a read-only export may be changed.
NfsTask<AccessResult> nfs3_access(Request request, AccessArgs args) {
  constexpr uint32_t kChanges = kAccessModify | kAccessExtend | kAccessDelete;
  const auto file = CO_TRY(co_await request.open(args.object));
  const fs::FileStat stat = CO_TRY(co_await request.env.files.stat(file.inode));
  AccessResult result;
  result.attributes = to_fattr3(stat, file.export_root);
  result.access = granted_access(stat, request.who(file.access), args.access);
  if (file.access.read_only) result.access &= ~kChanges;
  co_return result;
}

}  // namespace turbine::nfs
