#include <algorithm>

#include "nfs/attributes.hpp"
#include "nfs/directory_listing.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {

NfsTask<ReaddirResult> nfs3_readdir(Request request, ReaddirArgs args) {
  constexpr size_t kTypicalEntryBytes = 40;
  const auto directory = CO_TRY(co_await request.open(args.dir));
  const size_t limit = std::min(args.count, kIoBytesMax);
  CO_TRY(co_await request.call.sink->reserve(request.call, limit));
  DirectoryListing listing = CO_TRY(co_await list_directory(
      request, directory, args.cookie, args.cookieverf, limit / kTypicalEntryBytes + 1, false));
  ReaddirResult result;
  result.dir_attributes = to_fattr3(listing.directory, directory.export_root);
  size_t used = kDirectoryResultBytes;
  bool full = false;
  for (fs::DirectoryPage::Entry& entry : listing.entries) {
    used += sizeof(uint32_t) + directory_bytes(entry.name);
    full = used > limit;
    if (full) break;
    result.entries.items.push_back({entry.id.value, std::move(entry.name), entry.cookie});
  }
  if (full && result.entries.items.empty()) co_return nfs_fail(Nfsstat3::toosmall);
  result.eof = !full && listing.end;
  co_return result;
}

}  // namespace turbine::nfs
