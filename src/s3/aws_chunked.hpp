// Decoder of aws-chunked bodies: chunks with or without signatures, trailing checksums.
// Source: "Signature Calculations for the Authorization Header: Transferring Payload in Multiple
// Chunks", and the variant with trailers, S3 API reference.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.hpp"
#include "s3/authenticator.hpp"
#include "s3/digest.hpp"
#include "s3/s3_error.hpp"

namespace turbine::s3 {

/// Takes the coded bytes in pieces of any size, gives the payload as slices of them, and proves the
/// chain of signatures. What it has given out counts only once done() is true.
class AwsChunkedDecoder {
 public:
  struct Options {
    PayloadKind kind = PayloadKind::streaming_signed;
    uint64_t decoded_length = 0;        // x-amz-decoded-content-length
    std::vector<std::string> trailers;  // names that x-amz-trailer announces
    Sha256 signing_key{};
    std::string timestamp, scope, seed_signature;
  };
  explicit AwsChunkedDecoder(Options options);

  /// Appends the payload in `input` to `out`.
  S3Result<> feed(const Buffer& input, std::vector<Buffer>& out);
  /// The last chunk and all trailers have come and every signature holds.
  bool done() const { return state_ == State::done; }
  /// Names in lower case; valid when done.
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return received_; }

 private:
  enum class State { header, data, data_end, trailer, done };
  bool is_signed() const { return options_.kind != PayloadKind::streaming_unsigned_trailer; }
  bool has_trailer() const { return options_.kind != PayloadKind::streaming_signed; }
  S3Result<> take_line();
  S3Result<> take_header(std::string_view line);
  S3Result<> take_trailer(std::string_view line);
  S3Result<> end_chunk();
  S3Result<> end_trailers();

  Options options_;
  State state_ = State::header;
  std::string line_;
  std::string previous_signature_, chunk_signature_, trailer_signature_;
  std::unique_ptr<Digest> chunk_digest_;
  uint64_t chunk_left_ = 0;
  uint64_t decoded_ = 0;
  bool last_chunk_ = false;
  bool short_chunk_ = false;
  std::vector<std::pair<std::string, std::string>> received_;
  std::string trailer_text_;
};

}  // namespace turbine::s3
