// File handles: none is taken that this key did not make.
#include "base/check.hpp"
#include "nfs/file_handle.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace turbine;
  static const nfs::HandleCodec codec({nfs::SipKey{std::byte{1}}, nfs::SipKey{std::byte{2}}});
  nfs::NfsFh3 handle;
  handle.assign({reinterpret_cast<const std::byte*>(data), std::min<size_t>(size, 64)});
  const auto decoded = codec.decode(handle);
  if (!decoded.has_value()) {
    CHECK(decoded.error() == nfs::Nfsstat3::badhandle || decoded.error() == nfs::Nfsstat3::stale);
    return 0;
  }
  const nfs::NfsFh3 again = codec.encode(*decoded);
  CHECK(handle.size == again.size);
  CHECK(std::memcmp(handle.bytes.data(), again.bytes.data(), 20) == 0);
  return 0;
}
