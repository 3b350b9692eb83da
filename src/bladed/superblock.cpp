#include "bladed/superblock.hpp"

#include <algorithm>
#include <optional>

#include "base/byte_codec.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"

namespace turbine::bladed {

namespace {

constexpr std::string_view kMagic = "TRBNBLAD";
constexpr uint32_t kVersion = 1;
constexpr size_t kCopyBytes = 4096;
constexpr size_t kArrayIdBytes = 32;
constexpr uint64_t kChunkUnit = 4096;
constexpr uint64_t kChunkBytesMin = uint64_t{16} << 20;

}  // namespace

uint64_t Superblock::identity_seed() const {
  return hash64(as_bytes(array_id), incarnation * 0x9E3779B97F4A7C15ULL + blade_id);
}

Result<Superblock> plan_superblock(std::string array_id, uint32_t blade_id, uint64_t incarnation,
                                   uint64_t device_bytes, uint64_t journal_bytes) {
  if (array_id.size() != kArrayIdBytes) {
    return fail(Errc::invalid, "array id {} has not 32 digits", array_id);
  }
  Superblock out;
  out.array_id = std::move(array_id);
  out.blade_id = blade_id;
  out.incarnation = incarnation;
  out.device_bytes = device_bytes;
  out.journal_offset = kJournalOffset;
  out.journal_bytes = journal_bytes;
  out.chunk_offset = kJournalOffset + journal_bytes;
  if (device_bytes < out.chunk_offset + kChunkBytesMin) {
    return fail(Errc::invalid, "a device of {} bytes is too small: {} are the least", device_bytes,
                out.chunk_offset + kChunkBytesMin);
  }
  out.chunk_bytes = (device_bytes - out.chunk_offset) / kChunkUnit * kChunkUnit;
  return out;
}

std::string encode_superblock(const Superblock& superblock) {
  std::string out(kMagic);
  append_le(out, kVersion);
  append_le(out, superblock.blade_id);
  out += superblock.array_id;
  append_le(out, superblock.incarnation);
  append_le(out, superblock.device_bytes);
  append_le(out, superblock.journal_offset);
  append_le(out, superblock.journal_bytes);
  append_le(out, superblock.chunk_offset);
  append_le(out, superblock.chunk_bytes);
  out.resize(kCopyBytes - sizeof(uint64_t));
  append_le(out, hash64(as_bytes(out), 0));
  return out;
}

Result<Superblock> decode_superblock(ByteView copy) {
  if (std::all_of(copy.begin(), copy.end(), [](std::byte b) { return b == std::byte{0}; })) {
    return fail(Errc::not_found, "the superblock is blank");
  }
  if (copy.size() != kCopyBytes) return fail(Errc::corrupt, "a superblock has 4096 bytes");
  const size_t body = kCopyBytes - sizeof(uint64_t);
  if (load_le<uint64_t>(copy.data() + body) != hash64(copy.first(body), 0)) {
    return fail(Errc::corrupt, "the superblock fails its checksum");
  }
  ByteReader reader(copy);
  const auto magic = TRY(reader.take(kMagic.size()));
  if (magic != kMagic) return fail(Errc::corrupt, "this is not a Turbine device");
  const auto version = TRY(reader.le<uint32_t>());
  if (version != kVersion) {
    return fail(Errc::unsupported,
                "the device has format {}, this program knows {}: use the program that made it",
                version, kVersion);
  }
  Superblock out;
  out.blade_id = TRY(reader.le<uint32_t>());
  const auto array_id = TRY(reader.take(kArrayIdBytes));
  out.array_id = std::string(array_id);
  out.incarnation = TRY(reader.le<uint64_t>());
  out.device_bytes = TRY(reader.le<uint64_t>());
  out.journal_offset = TRY(reader.le<uint64_t>());
  out.journal_bytes = TRY(reader.le<uint64_t>());
  out.chunk_offset = TRY(reader.le<uint64_t>());
  out.chunk_bytes = TRY(reader.le<uint64_t>());
  return out;
}

Task<> write_superblock(io::Device& device, Superblock superblock) {
  const std::string copy = encode_superblock(superblock);
  for (const uint64_t offset : kSuperblockCopyOffsets) {
    CO_TRY(co_await device.write(offset, Buffer::copy_of(copy)));
  }
  CO_TRY(co_await device.flush());
  co_return Result<>{};
}

Task<Superblock> read_superblock(io::Device& device) {
  std::optional<Superblock> good;
  std::optional<Error> failure;
  size_t bad_count = 0;
  for (const uint64_t offset : kSuperblockCopyOffsets) {
    const auto copy = co_await device.read(offset, kCopyBytes);
    Result<Superblock> decoded =
        copy.ok() ? decode_superblock(copy->view()) : Result<Superblock>(fail(copy.error()));
    if (decoded.ok()) {
      if (!good.has_value()) good = std::move(*decoded);
      continue;
    }
    ++bad_count;
    // Damage says more than blankness, a newer format more than damage.
    if (!failure.has_value() || failure->code == Errc::not_found ||
        decoded.error().code == Errc::unsupported) {
      failure = decoded.error();
    }
  }
  // One copy of a newer format is enough: the program that made it was interrupted there.
  if (!good.has_value() || (bad_count > 0 && failure->code == Errc::unsupported)) {
    co_return fail(*failure);
  }
  if (bad_count > 0) {
    log::warn("one copy of the superblock was bad ({}); written again", failure->context);
    CO_TRY(co_await write_superblock(device, *good));
  }
  co_return *good;
}

}  // namespace turbine::bladed
