#include "nfs/file_handle.hpp"

#include <algorithm>

namespace turbine::nfs {
namespace {

// version (4 bytes) | export's inode (8) | inode (8) | MAC of all before (8); big-endian.
constexpr uint32_t kVersion = 0x54424801;  // "TBH", 1
constexpr size_t kSignedBytes = 20;
constexpr size_t kHandleBytes = 28;

template <class T>
void store_be(std::byte* to, T value) {
  store_le(to, std::byteswap(value));
}

}  // namespace

HandleCodec::HandleCodec(std::vector<SipKey> keys) : keys_(std::move(keys)) {
  CHECK(!keys_.empty());
}

NfsFh3 HandleCodec::encode(FileHandle handle) const {
  NfsFh3 out;
  out.size = kHandleBytes;
  std::byte* bytes = out.bytes.data();
  store_be(bytes, kVersion);
  store_be(bytes + 4, handle.export_root.value);
  store_be(bytes + 12, handle.inode.value);
  store_be(bytes + kSignedBytes, siphash24(keys_.front(), {bytes, kSignedBytes}));
  return out;
}

std::expected<FileHandle, Nfsstat3> HandleCodec::decode(const NfsFh3& handle) const {
  const std::byte* bytes = handle.bytes.data();
  if (handle.size != kHandleBytes || load_be<uint32_t>(bytes) != kVersion) {
    return std::unexpected(Nfsstat3::badhandle);
  }
  const auto mac = load_be<uint64_t>(bytes + kSignedBytes);
  const bool ours = std::ranges::any_of(
      keys_, [&](const SipKey& key) { return siphash24(key, {bytes, kSignedBytes}) == mac; });
  if (!ours) return std::unexpected(Nfsstat3::stale);
  return FileHandle{InodeId(load_be<uint64_t>(bytes + 4)), InodeId(load_be<uint64_t>(bytes + 12))};
}

}  // namespace turbine::nfs
