#include "s3/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <zlib.h>

#include "base/byte_codec.hpp"
#include "base/check.hpp"
#include "s3/crc.hpp"

namespace turbine::s3 {
namespace {

/// Fetched once: OpenSSL 3 looks an algorithm up by name on every implicit fetch.
const EVP_MD* fetched(DigestKind kind) {
  static const EVP_MD* const md5_method = EVP_MD_fetch(nullptr, "MD5", nullptr);
  static const EVP_MD* const sha1_method = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static const EVP_MD* const sha256_method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const EVP_MD* method = kind == DigestKind::md5    ? md5_method
                         : kind == DigestKind::sha1 ? sha1_method
                                                    : sha256_method;
  CHECK(method != nullptr);
  return method;
}

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

class EvpDigest final : public Digest {
 public:
  explicit EvpDigest(DigestKind kind) : context_(EVP_MD_CTX_new()) {
    CHECK(EVP_DigestInit_ex2(context_.get(), fetched(kind), nullptr) == 1);
  }
  void update(ByteView bytes) override {
    CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  std::string finish() override {
    std::string result(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(result.data()),
                             &size) == 1);
    result.resize(size);
    return result;
  }

 private:
  Context context_;
};

class CrcDigest final : public Digest {
 public:
  explicit CrcDigest(DigestKind kind) : kind_(kind) {}
  void update(ByteView bytes) override {
    switch (kind_) {
      case DigestKind::crc32:
        value_ = ::crc32_z(value_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
        break;
      case DigestKind::crc32c:
        value_ = crc32c(static_cast<uint32_t>(value_), bytes);
        break;
      default:
        value_ = crc64nvme(value_, bytes);
    }
  }
  std::string finish() override {
    std::string result;
    if (kind_ == DigestKind::crc64nvme) {
      append_be<uint64_t>(result, value_);
    } else {
      append_be<uint32_t>(result, static_cast<uint32_t>(value_));
    }
    return result;
  }

 private:
  DigestKind kind_;
  uint64_t value_ = 0;
};

/// One context per thread, reused: a fresh one costs two allocations.
Sha256 sha256_of_two(ByteView a, ByteView b) {
  thread_local const Context context(EVP_MD_CTX_new());
  Sha256 result;
  CHECK(EVP_DigestInit_ex2(context.get(), fetched(DigestKind::sha256), nullptr) == 1);
  CHECK(EVP_DigestUpdate(context.get(), a.data(), a.size()) == 1);
  CHECK(EVP_DigestUpdate(context.get(), b.data(), b.size()) == 1);
  CHECK(EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(result.data()),
                           nullptr) == 1);
  return result;
}

constexpr std::array<ChecksumName, 5> kChecksumNames = {{
    {DigestKind::crc32, "x-amz-checksum-crc32", "ChecksumCRC32", "CRC32", 4},
    {DigestKind::crc32c, "x-amz-checksum-crc32c", "ChecksumCRC32C", "CRC32C", 4},
    {DigestKind::crc64nvme, "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", "CRC64NVME", 8},
    {DigestKind::sha1, "x-amz-checksum-sha1", "ChecksumSHA1", "SHA1", 20},
    {DigestKind::sha256, "x-amz-checksum-sha256", "ChecksumSHA256", "SHA256", 32},
}};

}  // namespace

std::unique_ptr<Digest> make_digest(DigestKind kind) {
  switch (kind) {
    case DigestKind::md5:
    case DigestKind::sha1:
    case DigestKind::sha256:
      return std::make_unique<EvpDigest>(kind);
    case DigestKind::crc32:
    case DigestKind::crc32c:
    case DigestKind::crc64nvme:
      return std::make_unique<CrcDigest>(kind);
  }
  CHECK(!"unknown digest");
}

Sha256 sha256(std::string_view bytes) {
  return sha256_of_two(as_bytes(bytes), {});
}

Sha256 hmac_sha256(ByteView key, std::string_view bytes) {  // RFC 2104
  constexpr size_t kBlockBytes = 64;
  std::array<std::byte, kBlockBytes> block{};
  if (key.size() > kBlockBytes) {
    const Sha256 hashed = sha256_of_two(key, {});
    std::copy(hashed.begin(), hashed.end(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  std::array<std::byte, kBlockBytes> inner, outer;
  for (size_t i = 0; i < kBlockBytes; ++i) {
    inner[i] = block[i] ^ std::byte{0x36};
    outer[i] = block[i] ^ std::byte{0x5c};
  }
  const Sha256 middle = sha256_of_two(inner, as_bytes(bytes));
  return sha256_of_two(outer, middle);
}

std::string md5(std::string_view bytes) {
  EvpDigest digest(DigestKind::md5);
  digest.update(as_bytes(bytes));
  return digest.finish();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

const std::array<ChecksumName, 5>& checksum_names() {
  return kChecksumNames;
}

const ChecksumName* checksum_by_header(std::string_view header) {
  for (const auto& name : kChecksumNames) {
    if (name.header == header) return &name;
  }
  return nullptr;
}

}  // namespace turbine::s3
