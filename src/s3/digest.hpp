// Digests and checksums of S3: MD5 for ETags, SHA-256 for signatures, and the x-amz-checksum-*
// family. The only place of this folder that sees OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/buffer.hpp"

namespace turbine::s3 {

enum class DigestKind { md5, sha1, sha256, crc32, crc32c, crc64nvme };

/// Incremental digest of one byte string.
class Digest {
 public:
  virtual ~Digest() = default;
  virtual void update(ByteView bytes) = 0;
  /// The raw digest, CRCs big-endian. Once.
  virtual std::string finish() = 0;
};
std::unique_ptr<Digest> make_digest(DigestKind kind);

using Sha256 = std::array<std::byte, 32>;
Sha256 sha256(std::string_view bytes);
Sha256 hmac_sha256(ByteView key, std::string_view bytes);
std::string md5(std::string_view bytes);

/// In time that does not depend on where they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// "x-amz-checksum-crc32c" to its kind and back. Header names are lower case.
struct ChecksumName {
  DigestKind kind;
  std::string_view header;   // "x-amz-checksum-crc32c"
  std::string_view element;  // "ChecksumCRC32C" in XML
  std::string_view name;     // "CRC32C" in x-amz-checksum-algorithm
  size_t digest_bytes;
};
const std::array<ChecksumName, 5>& checksum_names();
const ChecksumName* checksum_by_header(std::string_view header);

}  // namespace turbine::s3
