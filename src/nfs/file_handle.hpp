// File handles: what NFS clients hold in place of names (docs/format/nfs_handle.md).
#pragma once

#include <expected>
#include <vector>

#include "base/ids.hpp"
#include "nfs/nfs3_types.hpp"
#include "nfs/siphash.hpp"

namespace turbine::nfs {

/// What a handle names. It holds no blade, partition table or address, so it is the same from every
/// gateway and outlives all of them.
struct FileHandle {
  InodeId export_root;  // the directory whose export the client came through
  InodeId inode;
  auto operator<=>(const FileHandle&) const = default;
};

/// Signs handles and proves that they are ours, so that they can't be guessed. The keys are the
/// array's: the first signs, all are taken, which lets a key be replaced without stale handles.
class HandleCodec {
 public:
  /// At least one key.
  explicit HandleCodec(std::vector<SipKey> keys);

  NfsFh3 encode(FileHandle handle) const;
  /// badhandle: not of this form; stale: of this form and not signed by us.
  std::expected<FileHandle, Nfsstat3> decode(const NfsFh3& handle) const;

 private:
  std::vector<SipKey> keys_;
};

}  // namespace turbine::nfs
