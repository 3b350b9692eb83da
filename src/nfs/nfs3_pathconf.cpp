#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

NfsTask<PathconfResult> nfs3_pathconf(Request request, PathconfArgs args) {
  constexpr uint32_t kLinksMax = 32000;
  const auto file = CO_TRY(co_await request.open(args.object));
  const fs::FileStat stat = CO_TRY(co_await request.env.files.stat(file.inode));
  PathconfResult result;
  result.attributes = to_fattr3(stat, file.export_root);
  result.linkmax = kLinksMax;
  result.name_max = kNameBytesMax;
  result.no_trunc = true;
  result.chown_restricted = true;
  result.case_insensitive = false;
  result.case_preserving = true;
  co_return result;
}

}  // namespace turbine::nfs
