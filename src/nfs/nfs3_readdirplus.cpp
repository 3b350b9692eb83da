#include <algorithm>

#include "nfs/attributes.hpp"
#include "nfs/directory_listing.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {
namespace {

constexpr size_t kPostOpHandleBytes = 4 + 4 + 28;  // post_op_fh3

size_t entry_bytes(const Entryplus3& entry) {
  return sizeof(uint32_t) + directory_bytes(entry.name) + kPostOpHandleBytes +
         (entry.attributes ? kPostOpAttrBytes : sizeof(uint32_t));
}

}  // namespace

NfsTask<ReaddirplusResult> nfs3_readdirplus(Request request, ReaddirplusArgs args) {
  constexpr size_t kTypicalEntryBytes = 160, kTypicalDirectoryBytes = 32;
  const auto directory = CO_TRY(co_await request.open(args.dir));
  const size_t limit = std::min(args.maxcount, kIoBytesMax);
  CO_TRY(co_await request.call.sink->reserve(request.call, limit));
  const size_t count =
      std::min(limit / kTypicalEntryBytes, args.dircount / kTypicalDirectoryBytes) + 1;
  DirectoryListing listing = CO_TRY(
      co_await list_directory(request, directory, args.cookie, args.cookieverf, count, true));
  ReaddirplusResult result;
  result.dir_attributes = to_fattr3(listing.directory, directory.export_root);
  size_t used = kDirectoryResultBytes;
  size_t directory_used = 0;
  bool full = false;
  result.entries.items.reserve(listing.entries.size());
  for (fs::DirectoryPage::Entry& from : listing.entries) {
    Entryplus3 entry{from.id.value, std::move(from.name), from.cookie,
                     to_post_op_attr(from.file, directory.export_root),
                     request.handle(directory, from.id)};
    used += entry_bytes(entry);
    directory_used += directory_bytes(entry.name);
    full = used > limit || directory_used > args.dircount;
    if (full) break;
    result.entries.items.push_back(std::move(entry));
  }
  if (full && result.entries.items.empty()) co_return nfs_fail(Nfsstat3::toosmall);
  result.eof = !full && listing.end;
  co_return result;
}

}  // namespace turbine::nfs
