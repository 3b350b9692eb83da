// What can't be changed in place, whoever asks.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "proto/meta.pb.h"

namespace turbine::meta {

/// Permissions, set-id bits and the sticky bit.
inline constexpr uint32_t kModeMask = 07777;
inline constexpr uint64_t kFileBytesMax = uint64_t{16} << 40;

/// A file that gets to `end` bytes, or is written up to there. Errc::is_directory, Errc::invalid,
/// Errc::too_large.
inline Result<> check_resizable(const proto::Inode& inode, uint64_t end) {
  if (inode.type() == proto::FILE_DIRECTORY) {
    return fail(Errc::is_directory, "inode {:x} is a directory", inode.id());
  }
  if (inode.type() != proto::FILE_REGULAR) {
    return fail(Errc::invalid, "inode {:x} is not a regular file", inode.id());
  }
  if (end > kFileBytesMax) {
    return fail(Errc::too_large, "{} bytes are more than a file may have, {}", end, kFileBytesMax);
  }
  return {};
}

}  // namespace turbine::meta
