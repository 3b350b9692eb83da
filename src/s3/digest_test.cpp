#include "s3/digest.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "s3/crc.hpp"
#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

std::string hex_digest(DigestKind kind, std::string_view text) {
  const auto digest = make_digest(kind);
  digest->update(as_bytes(text));
  return to_hex(as_bytes(digest->finish()));
}

// The "check" values of the CRC catalogue, and the first vectors of RFC 1321 and FIPS 180.
TEST(Digest, GivesTheCheckValues) {
  EXPECT_EQ(hex_digest(DigestKind::crc32, "123456789"), "cbf43926");
  EXPECT_EQ(hex_digest(DigestKind::crc32c, "123456789"), "e3069283");
  EXPECT_EQ(hex_digest(DigestKind::crc64nvme, "123456789"), "ae8b14860a799888");
  EXPECT_EQ(hex_digest(DigestKind::md5, "abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex_digest(DigestKind::sha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex_digest(DigestKind::sha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_digest(DigestKind::crc32, ""), "00000000");
  EXPECT_EQ(hex_digest(DigestKind::crc64nvme, ""), "0000000000000000");
  // RFC 3720 B.4: 32 bytes of zeroes and of ones.
  EXPECT_EQ(hex_digest(DigestKind::crc32c, std::string(32, '\0')), "8a9136aa");
  EXPECT_EQ(hex_digest(DigestKind::crc32c, std::string(32, '\xff')), "62a8ab43");
}

TEST(Digest, DoesNotDependOnPiecesOrAlignment) {
  Rng rng(3);
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes.push_back(static_cast<char>(rng.below(256)));
  for (const DigestKind kind : {DigestKind::md5, DigestKind::sha1, DigestKind::sha256,
                                DigestKind::crc32, DigestKind::crc32c, DigestKind::crc64nvme}) {
    const std::string whole = hex_digest(kind, bytes);
    for (int round = 0; round < 50; ++round) {
      const auto digest = make_digest(kind);
      for (size_t at = 0; at < bytes.size();) {
        const size_t count = std::min<size_t>(rng.below(40), bytes.size() - at);
        digest->update(as_bytes(bytes).subspan(at, count));
        at += count;
      }
      ASSERT_EQ(to_hex(as_bytes(digest->finish())), whole);
    }
  }
}

/// Bit by bit, as the catalogue defines it.
template <class Value>
Value naive_crc(Value polynomial, std::string_view bytes) {
  auto crc = static_cast<Value>(~Value{0});
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<Value>((crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0));
    }
  }
  return static_cast<Value>(~crc);
}

TEST(Crc, AgreesWithTheDefinitionAtEveryLength) {
  Rng rng(4);
  std::string bytes;
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(crc32c(0, as_bytes(bytes)), naive_crc<uint32_t>(0x82f63b78, bytes));
    EXPECT_EQ(crc64nvme(0, as_bytes(bytes)), naive_crc<uint64_t>(0x9a6c9329ac4bc9b5, bytes));
    bytes.push_back(static_cast<char>(rng.below(256)));
  }
}

TEST(Digest, HmacGivesTheVectorsOfRfc4231) {
  const auto hmac = [](std::string_view key, std::string_view text) {
    return to_hex(hmac_sha256(as_bytes(key), text));
  };
  EXPECT_EQ(hmac(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      hmac(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Digest, KnowsTheChecksumFields) {
  for (const auto& name : checksum_names()) {
    EXPECT_EQ(checksum_by_header(name.header), &name);
    EXPECT_EQ(make_digest(name.kind)->finish().size(), name.digest_bytes) << name.name;
  }
  EXPECT_EQ(checksum_by_header("x-amz-checksum-md5"), nullptr);
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

}  // namespace
}  // namespace turbine::s3
