#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

NfsTask<ReadlinkResult> nfs3_readlink(Request request, ReadlinkArgs args) {
  const auto link = CO_TRY(co_await request.open(args.symlink));
  ReadlinkResult result;
  result.target = CO_TRY(co_await request.env.files.read_link(link.inode));
  co_return result;
}

}  // namespace turbine::nfs
