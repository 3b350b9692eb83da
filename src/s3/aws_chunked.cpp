#include "s3/aws_chunked.hpp"

#include <algorithm>

#include "s3/http_head.hpp"
#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

constexpr size_t kLineBytesMax = 256;
constexpr size_t kTrailersMax = 8;
constexpr uint64_t kSignedChunkBytesMin = uint64_t{8} * 1024;  // but for the last one
constexpr std::string_view kSignatureExtension = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

std::unexpected<S3Error> malformed(std::string_view what) {
  return s3_fail(S3Code::incomplete_body, "The aws-chunked body is malformed: {}", what);
}

std::unexpected<S3Error> wrong_signature(std::string_view of) {
  return s3_fail(S3Code::signature_does_not_match,
                 "The signature of {} does not match the signature we calculated.", of);
}

}  // namespace

AwsChunkedDecoder::AwsChunkedDecoder(Options options)
    : options_(std::move(options)), previous_signature_(options_.seed_signature) {}

S3Result<> AwsChunkedDecoder::feed(const Buffer& input, std::vector<Buffer>& out) {
  const std::string_view bytes = input.text();
  size_t at = 0;
  while (at < bytes.size()) {
    if (state_ == State::done) return malformed("bytes behind the end");
    if (state_ == State::data) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(chunk_left_, bytes.size() - at));
      const Buffer piece = input.slice(at, count);
      if (chunk_digest_) chunk_digest_->update(piece.view());
      out.push_back(piece);
      at += count;
      chunk_left_ -= count;
      if (chunk_left_ == 0) {
        TRY(end_chunk());
        state_ = State::data_end;
      }
      continue;
    }
    const size_t newline = bytes.find('\n', at);
    const size_t end = newline == std::string_view::npos ? bytes.size() : newline + 1;
    line_.append(bytes, at, end - at);
    at = end;
    if (line_.size() > kLineBytesMax) return malformed("a line is too long");
    if (newline != std::string_view::npos) TRY(take_line());
  }
  return {};
}

S3Result<> AwsChunkedDecoder::take_line() {
  if (!line_.ends_with("\r\n")) return malformed("a line does not end with CR LF");
  std::string line = std::exchange(line_, {});
  line.resize(line.size() - 2);
  switch (state_) {
    case State::header:
      return take_header(line);
    case State::data_end:
      if (!line.empty()) return malformed("a chunk is longer than its size");
      state_ = State::header;
      return {};
    case State::trailer:
      return take_trailer(line);
    case State::data:
    case State::done:
      break;
  }
  return {};
}

S3Result<> AwsChunkedDecoder::take_header(std::string_view line) {
  const size_t semicolon = std::min(line.find(';'), line.size());
  const auto size = parse_hex(line.substr(0, semicolon));
  if (!size) return malformed("chunk size");
  const std::string_view extension = line.substr(semicolon);
  if (is_signed()) {
    if (!extension.starts_with(kSignatureExtension) ||
        extension.size() != kSignatureExtension.size() + 64) {
      return malformed("a chunk has no signature");
    }
    chunk_signature_ = extension.substr(kSignatureExtension.size());
    chunk_digest_ = make_digest(DigestKind::sha256);
  } else if (!extension.empty()) {
    return malformed("unknown chunk extension");
  }
  last_chunk_ = *size == 0;
  if (*size > options_.decoded_length - decoded_) {
    return malformed("it is longer than x-amz-decoded-content-length");
  }
  decoded_ += *size;
  if (last_chunk_) {
    if (decoded_ != options_.decoded_length) {
      return malformed("it is shorter than x-amz-decoded-content-length");
    }
    TRY(end_chunk());
    state_ = State::trailer;
    return {};
  }
  if (short_chunk_ && is_signed()) {
    return s3_fail(S3Code::invalid_chunk_size,
                   "Only the last chunk is allowed to have a size less than 8192 bytes");
  }
  short_chunk_ = *size < kSignedChunkBytesMin;
  chunk_left_ = *size;
  state_ = State::data;
  return {};
}

S3Result<> AwsChunkedDecoder::end_chunk() {
  if (!is_signed()) return {};
  const std::string hash = to_hex(as_bytes(chunk_digest_->finish()));
  const std::string text =
      fmt::format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{}", options_.timestamp,
                  options_.scope, previous_signature_, kEmptySha256, hash);
  const std::string expected = sign(options_.signing_key, text);
  if (!equal_in_constant_time(expected, chunk_signature_)) return wrong_signature("a chunk");
  previous_signature_ = expected;
  chunk_digest_.reset();
  return {};
}

S3Result<> AwsChunkedDecoder::take_trailer(std::string_view line) {
  if (line.empty()) return end_trailers();
  const size_t colon = line.find(':');
  const std::string name = lower_case(line.substr(0, colon));
  if (colon == std::string_view::npos || !is_token(name) || !has_trailer()) {
    return s3_fail(S3Code::malformed_trailer,
                   "The request contained trailing data that was not "
                   "well-formed or did not conform to our schema.");
  }
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with(' ')) value.remove_suffix(1);
  if (name == kTrailerSignature && is_signed()) {
    trailer_signature_ = value;
    return {};
  }
  const bool announced = std::ranges::find(options_.trailers, name) != options_.trailers.end();
  const bool repeated =
      std::ranges::any_of(received_, [&](auto& item) { return item.first == name; });
  if (!announced || repeated || !trailer_signature_.empty() || received_.size() >= kTrailersMax) {
    return s3_fail(S3Code::malformed_trailer,
                   "The trailer {} was not announced by x-amz-trailer, "
                   "or is misplaced.",
                   name);
  }
  trailer_text_.append(name).append(":").append(value).append("\n");
  received_.emplace_back(name, value);
  return {};
}

S3Result<> AwsChunkedDecoder::end_trailers() {
  if (has_trailer() && received_.size() != options_.trailers.size()) {
    return s3_fail(S3Code::malformed_trailer, "A trailer announced by x-amz-trailer is missing.");
  }
  if (options_.kind == PayloadKind::streaming_signed_trailer) {
    const std::string text =
        fmt::format("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}", options_.timestamp, options_.scope,
                    previous_signature_, to_hex(sha256(trailer_text_)));
    if (!equal_in_constant_time(sign(options_.signing_key, text), trailer_signature_)) {
      return wrong_signature("the trailer");
    }
  }
  state_ = State::done;
  return {};
}

}  // namespace turbine::s3
