#include "nfs/directory_listing.hpp"

#include <algorithm>
#include <iterator>

namespace turbine::nfs {
namespace {

constexpr uint64_t kDotCookie = 1, kDotDotCookie = 2;
constexpr size_t kPageEntriesMax = 4096;

void put_dots_first(DirectoryListing& listing, const Request::Opened& directory, InodeId parent,
                    uint64_t cookie) {
  std::vector<fs::DirectoryPage::Entry> dots;
  if (cookie < kDotCookie) {
    dots.push_back({kDotCookie, ".", directory.inode, listing.directory});
  }
  if (cookie < kDotDotCookie) {
    const bool root = directory.is_root();
    dots.push_back({kDotDotCookie, "..", root ? directory.inode : parent, std::nullopt});
    if (root) dots.back().file = listing.directory;
  }
  listing.entries.insert(listing.entries.begin(), std::make_move_iterator(dots.begin()),
                         std::make_move_iterator(dots.end()));
}

}  // namespace

NfsTask<DirectoryListing> list_directory(Request request, Request::Opened directory,
                                         uint64_t cookie, uint64_t cookieverf, size_t count,
                                         bool with_stat) {
  if (cookie != 0 && cookieverf != 0) co_return nfs_fail(Nfsstat3::bad_cookie);
  fs::DirectoryPageRequest page_request;
  page_request.directory = directory.inode;
  page_request.after = cookie <= kDotDotCookie ? 0 : cookie;
  page_request.count = std::clamp<size_t>(count, 1, kPageEntriesMax);
  page_request.with_stat = with_stat;
  auto page =
      co_await request.env.files.list(request.who(directory.access), std::move(page_request));
  if (page.failed_with(Errc::invalid)) co_return nfs_fail(Nfsstat3::bad_cookie);
  if (!page.ok()) co_return std::unexpected(NfsError(page.error()));
  DirectoryListing listing{std::move(page->entries), page->end, page->directory};
  if (cookie < kDotDotCookie) put_dots_first(listing, directory, page->parent, cookie);
  co_return listing;
}

}  // namespace turbine::nfs
