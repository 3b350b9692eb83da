#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

NfsTask<FsinfoResult> nfs3_fsinfo(Request request, FsinfoArgs args) {
  constexpr uint32_t kMultiple = 4096;
  constexpr uint32_t kDirectoryBytes = 128 << 10;
  constexpr uint64_t kFileBytesMax = uint64_t{16} << 40;  // beyond: NFS3ERR_FBIG
  const auto file = CO_TRY(co_await request.open(args.fsroot));
  const fs::FileStat stat = CO_TRY(co_await request.env.files.stat(file.inode));
  FsinfoResult result;
  result.attributes = to_fattr3(stat, file.export_root);
  result.rtmax = result.rtpref = result.wtmax = result.wtpref = kIoBytesMax;
  result.rtmult = result.wtmult = kMultiple;
  result.dtpref = kDirectoryBytes;
  result.maxfilesize = kFileBytesMax;
  result.time_delta = {0, 1};
  result.properties = kFsfLink | kFsfSymlink | kFsfHomogeneous | kFsfCanSetTime;
  co_return result;
}

}  // namespace turbine::nfs
