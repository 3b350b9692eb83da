// aws-chunked bodies: as they come, and as a client would sign the same payload, so that the
// signatures don't keep the fuzzer out. What is decoded never depends on where the pieces end.
#include "base/check.hpp"
#include "s3/aws_chunked.hpp"
#include "s3/sigv4.hpp"
#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

constexpr std::string_view kTime = "20130524T000000Z";
constexpr std::string_view kScope = "20130524/us-east-1/s3/aws4_request";
const std::string kSeed(64, '0');

const Sha256& key() {
  static const Sha256 derived = derive_signing_key("secret", "20130524", "us-east-1", "s3");
  return derived;
}

AwsChunkedDecoder::Options options(PayloadKind kind, uint64_t length) {
  std::vector<std::string> trailers;
  if (kind != PayloadKind::streaming_signed) trailers.emplace_back("x-amz-checksum-crc32");
  return {kind, length, trailers, key(), std::string(kTime), std::string(kScope), kSeed};
}

std::string decoded(const AwsChunkedDecoder::Options& given, std::string_view body, size_t piece) {
  AwsChunkedDecoder decoder(given);
  std::string payload;
  for (size_t at = 0; at < body.size(); at += piece) {
    std::vector<Buffer> out;
    const auto fed = decoder.feed(Buffer::copy_of(body.substr(at, piece)), out);
    if (!fed.has_value()) return "bad";
    for (const Buffer& buffer : out) payload += buffer.text();
    CHECK(payload.size() <= given.decoded_length);
  }
  if (!decoder.done()) return "open";
  CHECK(payload.size() == given.decoded_length);
  CHECK(given.trailers.size() == decoder.trailers().size());
  return "done " + payload;
}

void check(PayloadKind kind, uint64_t length, std::string_view body, size_t piece) {
  const auto given = options(kind, length);
  CHECK(decoded(given, body, body.size() + 1) == decoded(given, body, piece));
}

std::string signed_chunk(std::string_view data, std::string& previous) {
  previous = sign(key(), fmt::format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{}", kTime, kScope,
                                     previous, kEmptySha256, to_hex(sha256(data))));
  return fmt::format("{:x};chunk-signature={}\r\n{}{}", data.size(), previous, data,
                     data.empty() ? "" : "\r\n");
}

}  // namespace
}  // namespace turbine::s3

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace turbine::s3;
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const size_t piece = data[0] % 32 + 1U;
  const uint64_t length = data[1];
  check(PayloadKind::streaming_unsigned_trailer, length, bytes, piece);
  check(PayloadKind::streaming_signed, length, bytes, piece);
  check(PayloadKind::streaming_signed_trailer, length, bytes, piece);

  // The payload, signed. One byte changed must not go unseen.
  std::string previous = kSeed;
  std::string body = bytes.empty() ? "" : signed_chunk(bytes, previous);
  body += signed_chunk("", previous) + "\r\n";
  const auto given = options(PayloadKind::streaming_signed, bytes.size());
  CHECK(decoded(given, body, piece) == "done " + std::string(bytes));
  if (!bytes.empty()) {
    const size_t at = body.find("\r\n") + 2 + data[2] % bytes.size();
    body[at] = static_cast<char>(body[at] ^ 1);
    CHECK(decoded(given, body, piece) == "bad");
  }
  return 0;
}
