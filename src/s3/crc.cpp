#include "s3/crc.hpp"

#include <array>

#include "base/byte_codec.hpp"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace turbine::s3 {
namespace {

/// Eight tables, so that eight bytes are taken per step ("slicing by 8"). `polynomial` reflected.
template <class Value>
constexpr std::array<std::array<Value, 256>, 8> make_tables(Value polynomial) {
  std::array<std::array<Value, 256>, 8> tables{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    Value value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? polynomial : 0);
    tables[0][byte] = value;
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (int i = 1; i < 8; ++i) {
      const Value before = tables[i - 1][byte];
      tables[i][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

template <class Value>
Value update(const std::array<std::array<Value, 256>, 8>& t, Value crc, ByteView bytes) {
  const std::byte* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    const uint64_t word = load_le<uint64_t>(at) ^ crc;
    crc = 0;
    for (int i = 0; i < 8; ++i) crc ^= t[7 - i][word >> (8 * i) & 0xff];
  }
  for (; left > 0; --left, ++at) {
    crc = static_cast<Value>(crc >> 8) ^ t[0][(crc ^ static_cast<uint8_t>(*at)) & 0xff];
  }
  return crc;
}

constinit const auto kCrc64Tables = make_tables<uint64_t>(0x9a6c9329ac4bc9b5ULL);

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t crc32c_hardware(uint32_t crc, ByteView bytes) {
  const std::byte* at = bytes.data();
  size_t left = bytes.size();
  uint64_t wide = crc;
  for (; left >= 8; left -= 8, at += 8) wide = _mm_crc32_u64(wide, load_le<uint64_t>(at));
  crc = static_cast<uint32_t>(wide);
  for (; left > 0; --left, ++at) crc = _mm_crc32_u8(crc, static_cast<uint8_t>(*at));
  return crc;
}
#endif

uint32_t crc32c_tables(uint32_t crc, ByteView bytes) {
  static constexpr auto kTables = make_tables<uint32_t>(0x82f63b78U);
  return update(kTables, crc, bytes);
}

}  // namespace

uint32_t crc32c(uint32_t previous, ByteView bytes) {
#if defined(__x86_64__)
  static const bool hardware = __builtin_cpu_supports("sse4.2") != 0;
  if (hardware) return ~crc32c_hardware(~previous, bytes);
#endif
  return ~crc32c_tables(~previous, bytes);
}

uint64_t crc64nvme(uint64_t previous, ByteView bytes) {
  return ~update(kCrc64Tables, ~previous, bytes);
}

}  // namespace turbine::s3
