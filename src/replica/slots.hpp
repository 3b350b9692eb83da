// Slots: where in the blade's Kv a partition's state lies. docs/format/metadata.md
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/byte_codec.hpp"
#include "base/ids.hpp"

namespace turbine::replica {

/// A state that comes from another replica is built in the next generation's slot, while the old
/// one stays whole; one record switches between them.
inline constexpr uint8_t kGenerations = 8;
inline constexpr uint32_t kPartitionsMax = 8191;

/// Slot 0 is the blade's own.
inline uint16_t slot_of(PartitionId partition, uint8_t generation) {
  return static_cast<uint16_t>(1 + partition.value + uint32_t{generation} * kPartitionsMax);
}

/// The slot as the first bytes of its keys, and the first key after them.
inline std::pair<std::string, std::string> slot_range(PartitionId partition, uint8_t generation) {
  std::pair<std::string, std::string> range;
  append_be<uint16_t>(range.first, slot_of(partition, generation));
  append_be<uint16_t>(range.second, static_cast<uint16_t>(slot_of(partition, generation) + 1));
  return range;
}

/// In slot 0: one byte, the generation in use; 0 when there is no record.
inline std::string generation_key(PartitionId partition) {
  std::string key("\x00\x00\xf1", 3);
  append_be<uint16_t>(key, static_cast<uint16_t>(partition.value));
  return key;
}

}  // namespace turbine::replica
