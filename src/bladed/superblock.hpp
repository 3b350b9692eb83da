// The superblock: whose device this is and what lies where on it. docs/format/superblock.md
#pragma once

#include <cstdint>
#include <string>

#include "base/task.hpp"
#include "io/device.hpp"

namespace turbine::bladed {

struct Superblock {
  std::string array_id;  // 32 hex digits
  uint32_t blade_id = 0;
  uint64_t incarnation = 0;  // of the contents: new when formatted
  uint64_t device_bytes = 0;
  uint64_t journal_offset = 0, journal_bytes = 0;
  uint64_t chunk_offset = 0, chunk_bytes = 0;

  /// Mixed into every checksum on the device, so that bytes of another blade never pass.
  uint64_t identity_seed() const;
  bool operator==(const Superblock&) const = default;
};

inline constexpr uint64_t kSuperblockCopyOffsets[] = {0, uint64_t{64} * 1024};
inline constexpr uint64_t kJournalOffset = uint64_t{1} << 20;
inline constexpr uint64_t kJournalBytes = uint64_t{128} << 20;

/// Where everything goes on a device of `device_bytes`. Errc::invalid when it is too small.
Result<Superblock> plan_superblock(std::string array_id, uint32_t blade_id, uint64_t incarnation,
                                   uint64_t device_bytes, uint64_t journal_bytes = kJournalBytes);

/// One 4 KiB copy.
std::string encode_superblock(const Superblock& superblock);
/// Errc::not_found: all zeroes (blank). Errc::corrupt. Errc::unsupported: a newer format.
Result<Superblock> decode_superblock(ByteView copy);

/// Writes both copies; durable on return.
Task<> write_superblock(io::Device& device, Superblock superblock);
/// Reads the first good copy and writes a bad one again. Errc::not_found: the device is blank.
/// Errc::corrupt: no copy is good. Errc::unsupported: a copy was made by a newer version.
Task<Superblock> read_superblock(io::Device& device);

}  // namespace turbine::bladed
