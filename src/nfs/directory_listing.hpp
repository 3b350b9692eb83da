// What READDIR and READDIRPLUS share: entries with "." and "..", and the sizes of replies.
#pragma once

#include "nfs/procedure.hpp"

namespace turbine::nfs {

struct DirectoryListing {
  std::vector<fs::DirectoryPage::Entry> entries;
  bool end = false;  // nothing follows the entries
  fs::FileStat directory;
};

/// Entries behind `cookie`, about `count` of them. Cookies 1 and 2 are those of "." and ".."; the
/// verifier is 0 for ever, since cookies never change their meaning.
/// bad_cookie: another verifier, or a cookie that is not of this directory.
NfsTask<DirectoryListing> list_directory(Request request, Request::Opened directory,
                                         uint64_t cookie, uint64_t cookieverf, size_t count,
                                         bool with_stat);

/// Bytes in XDR.
inline constexpr size_t kFattrBytes = 84;
inline constexpr size_t kPostOpAttrBytes = 4 + kFattrBytes;
/// The result without entries: attributes, verifier, end of the list, eof.
inline constexpr size_t kDirectoryResultBytes = kPostOpAttrBytes + 8 + 4 + 4;
/// file id, name and cookie: what `dircount` counts.
inline size_t directory_bytes(std::string_view name) {
  return 8 + 4 + xdr_padded(name.size()) + 8;
}

}  // namespace turbine::nfs
