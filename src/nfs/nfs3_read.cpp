#include <algorithm>

#include "nfs/attributes.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

/// The buffers that came off the blades go to the socket as they are.
NfsTask<ReadResult> nfs3_read(Request request, ReadArgs args) {
  const auto file = CO_TRY(co_await request.open(args.file));
  const uint32_t count = std::min(args.count, kIoBytesMax);
  CO_TRY(co_await request.call.sink->reserve(request.call, count));
  fs::FileBytes bytes = CO_TRY(
      co_await request.env.files.read(request.who(file.access), file.inode, args.offset, count));
  ReadResult result;
  result.attributes = to_fattr3(bytes.file, file.export_root);
  result.eof = bytes.end;
  result.data = std::move(bytes.bytes);
  for (const Buffer& buffer : result.data) result.count += static_cast<uint32_t>(buffer.size());
  co_return result;
}

}  // namespace turbine::nfs
