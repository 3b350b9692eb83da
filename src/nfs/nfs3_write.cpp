#include "base/hash.hpp"
#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {
namespace {

constexpr uint32_t kWrite = 7;

/// What a WRITE of no bytes still has to find out (section 3.3.7). Owners may always write.
NfsResult<void> check_writable(const fs::FileStat& stat, const fs::Credentials& who) {
  if (stat.type == fs::FileType::directory) return nfs_fail(Nfsstat3::isdir);
  if (stat.type != fs::FileType::regular) return nfs_fail(Nfsstat3::inval);
  if (who.uid != stat.uid && granted_access(stat, who, kAccessModify) == 0) {
    return nfs_fail(Nfsstat3::acces);
  }
  return {};
}

}  // namespace

std::optional<size_t> find_write_payload(ByteView prefix) {
  XdrReader reader(prefix);
  RpcCallHeader header;
  if (read_call(reader, header) != CallVerdict::ok || header.program != kNfsProgram ||
      header.version != kNfsVersion || header.procedure != kWrite) {
    return std::nullopt;
  }
  WriteArgs args;
  uint32_t length = 0;
  reader(args.file, args.offset, args.count, args.stable, length);
  if (!reader.ok()) return std::nullopt;
  return prefix.size() - reader.rest().size();
}

/// Whatever the client asks for, the data is durable when this answers, so `committed` is always
/// FILE_SYNC and COMMIT has nothing to do.
NfsTask<WriteResult> nfs3_write(Request request, WriteArgs args) {
  const auto file = CO_TRY(co_await request.open_to_change(args.file));
  if (args.count != args.data.size() || args.count > kIoBytesMax) {
    co_return nfs_fail(Nfsstat3::inval);
  }
  WriteResult result;
  result.count = args.count;
  result.verifier = request.env.write_verifier;
  if (args.count == 0) {
    const fs::FileStat stat = CO_TRY(co_await request.env.files.stat(file.inode));
    CO_TRY(check_writable(stat, request.who(file.access)));
    result.wcc.after = to_fattr3(stat, file.export_root);
    co_return result;
  }
  const size_t before_data = xdr_padded(sizeof(uint32_t) + args.file.size) + 4 * sizeof(uint32_t);
  const ByteView arguments = request.call.arguments().first(before_data);
  const fs::CallContext call = request.mutation(arguments, hash64(args.data.view()));
  std::vector<Buffer> bytes;
  bytes.push_back(std::move(args.data));
  const fs::FileChange change = CO_TRY(co_await request.env.files.write(
      call, request.who(file.access), file.inode, args.offset, std::move(bytes)));
  result.wcc = to_wcc_data(change, file.export_root);
  co_return result;
}

}  // namespace turbine::nfs
