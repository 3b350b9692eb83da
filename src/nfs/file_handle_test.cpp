#include "nfs/file_handle.hpp"

#include <gtest/gtest.h>

namespace turbine::nfs {
namespace {

SipKey key_of(uint8_t first) {
  SipKey key;
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(first + i);
  return key;
}

// The first and some later of the 64 vectors of the authors' reference implementation.
TEST(SipHash, GivesTheReferenceValues) {
  std::array<std::byte, 64> message;
  for (size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::byte>(i);
  const auto hash = [&](size_t size) {
    return siphash24(key_of(0), ByteView(message).first(size));
  };
  EXPECT_EQ(hash(0), 0x726FDB47DD0E0E31ULL);
  EXPECT_EQ(hash(1), 0x74F839C593DC67FDULL);
  EXPECT_EQ(hash(8), 0x93F5F5799A932462ULL);
  EXPECT_EQ(hash(15), 0xA129CA6149BE45E5ULL);
}

const FileHandle kHandle{InodeId(0x0010000000000007), InodeId(0x0020000000000042)};

TEST(FileHandle, GivesBackWhatWasPutIn) {
  const HandleCodec codec({key_of(1)});
  const NfsFh3 handle = codec.encode(kHandle);
  EXPECT_LE(handle.size, 64U);
  EXPECT_EQ(handle.size % 4, 0U);
  const auto decoded = codec.decode(handle);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, kHandle);
  EXPECT_EQ(HandleCodec({key_of(1)}).decode(handle), kHandle);  // from any gateway
}

TEST(FileHandle, HasTheseBytes) {
  const HandleCodec codec({key_of(0)});
  std::string hex;
  for (const std::byte b : codec.encode(kHandle).view()) {
    hex += fmt::format("{:02x}", std::to_integer<int>(b));
  }
  EXPECT_EQ(hex.substr(0, 40), "5442480100100000000000070020000000000042");
  EXPECT_EQ(hex.substr(40), "e5b581332594dc5e");
}

TEST(FileHandle, IsStaleOrBadWithAnyBitChanged) {
  const HandleCodec codec({key_of(1)});
  for (size_t bit = 0; bit < size_t{28} * 8; ++bit) {
    NfsFh3 handle = codec.encode(kHandle);
    handle.bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto decoded = codec.decode(handle);
    ASSERT_FALSE(decoded.has_value());
    EXPECT_EQ(decoded.error(), bit < 32 ? Nfsstat3::badhandle : Nfsstat3::stale) << bit;
  }
}

TEST(FileHandle, OfAnotherLengthIsBad) {
  const HandleCodec codec({key_of(1)});
  for (uint32_t size = 0; size <= 64; ++size) {
    NfsFh3 handle = codec.encode(kHandle);
    if (size == handle.size) continue;
    std::fill(handle.bytes.begin() + handle.size, handle.bytes.end(), std::byte{0});
    handle.size = size;
    EXPECT_EQ(codec.decode(handle).error(), Nfsstat3::badhandle) << size;
  }
}

TEST(FileHandle, OutlivesTheReplacementOfItsKey) {
  const NfsFh3 old = HandleCodec({key_of(1)}).encode(kHandle);
  EXPECT_EQ(HandleCodec({key_of(2), key_of(1)}).decode(old), kHandle);
  EXPECT_EQ(HandleCodec({key_of(2)}).decode(old).error(), Nfsstat3::stale);
}

}  // namespace
}  // namespace turbine::nfs
