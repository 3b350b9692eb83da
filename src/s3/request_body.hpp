// The body of an authenticated request: decoded, and proven before anybody may rely on it.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "s3/authenticator.hpp"
#include "s3/aws_chunked.hpp"
#include "s3/digest.hpp"
#include "s3/http_exchange.hpp"
#include "s3/s3_error.hpp"

namespace turbine::s3 {

/// The only way from an operation to the bytes of its request. When next() has given the end
/// without an error, everything the client promised of the body holds: its length, signed hash,
/// chunk signatures, Content-MD5 and x-amz-checksum-*. An object must not be committed before.
class RequestBody {
 public:
  /// Refuses what the headers alone give away: a malformed Content-MD5 or checksum, two checksums,
  /// a streaming body without its length. `raw` must outlive it.
  static S3Result<std::unique_ptr<RequestBody>> make(const RequestHead& head,
                                                     const Authentication& authentication,
                                                     BodyReader& raw);

  /// Bytes of the payload; empty when unknown before its end.
  std::optional<uint64_t> size() const { return size_; }
  bool length_given() const { return size_.has_value() || chunked_; }
  /// From now on all bytes also go into an MD5, for the ETag.
  void compute_md5();
  /// Adds a checksum that the client has not sent. No effect when it has sent one.
  void compute_checksum(DigestKind kind);

  /// The next bytes; empty at the end.
  S3Task<Buffer> next();
  /// All of it, for XML. max_message_length_exceeded when longer.
  S3Task<std::string> read_all(size_t bytes_max);

  uint64_t received() const { return received_; }
  /// After the end: 32 hex digits.
  const std::string& md5_hex() const { return md5_hex_; }
  /// After the end: header name and base64 value of the checksum.
  const std::optional<std::pair<std::string, std::string>>& checksum() const { return checksum_; }

 private:
  explicit RequestBody(BodyReader& raw) : raw_(raw) {}
  S3Result<> prepare_checksum(const RequestHead& head, const std::vector<std::string>& trailers);
  S3Task<> update(Buffer data);
  S3Result<> finish();

  BodyReader& raw_;
  bool chunked_ = false;
  bool ended_ = false;
  std::optional<uint64_t> size_;
  uint64_t received_ = 0;
  std::unique_ptr<AwsChunkedDecoder> decoder_;
  std::deque<Buffer> ready_;

  std::string payload_sha256_;     // promised, hex
  std::string content_md5_;        // promised, raw
  std::string checksum_promised_;  // base64; empty while it comes in a trailer
  const ChecksumName* checksum_name_ = nullptr;
  std::unique_ptr<Digest> sha256_digest_, md5_digest_, checksum_digest_;
  std::string md5_hex_;
  std::optional<std::pair<std::string, std::string>> checksum_;
};

}  // namespace turbine::s3
