#include "s3/aws_chunked.hpp"

#include <gtest/gtest.h>

#include "support/s3_signer.hpp"

namespace turbine::s3 {
namespace {

using test::S3Signer;

constexpr std::string_view kTime = "20130524T000000Z";

struct Outcome {
  std::string code = "done";  // or "open", or the error's name
  std::string payload;
  std::vector<std::pair<std::string, std::string>> trailers;
  bool operator==(const Outcome&) const = default;
};

AwsChunkedDecoder::Options options(PayloadKind kind, uint64_t length,
                                   std::vector<std::string> trailers = {}) {
  const S3Signer signer;
  return {kind,
          length,
          std::move(trailers),
          signer.signing_key(kTime),
          std::string(kTime),
          signer.scope(kTime),
          std::string(64, '0')};
}

/// Feeds `body` in pieces that end at `cuts`.
Outcome decode(const AwsChunkedDecoder::Options& given, std::string_view body,
               std::vector<size_t> cuts = {}) {
  AwsChunkedDecoder decoder(given);
  Outcome outcome;
  std::vector<Buffer> out;
  cuts.push_back(body.size());
  size_t at = 0;
  for (const size_t cut : cuts) {
    const auto fed = decoder.feed(Buffer::copy_of(body.substr(at, cut - at)), out);
    at = cut;
    if (!fed.has_value()) {
      outcome.code = s3_code_name(fed.error().code);
      return outcome;
    }
  }
  for (const Buffer& piece : out) outcome.payload += piece.text();
  if (!decoder.done()) {
    outcome.code = "open";
  } else {
    outcome.trailers = decoder.trailers();
  }
  return outcome;
}

std::string signed_body(const std::vector<std::string>& chunks, std::string_view trailer = {}) {
  const S3Signer signer;
  std::string previous(64, '0');
  std::string body;
  for (const auto& chunk : chunks) body += signer.chunk(kTime, chunk, previous);
  body += signer.chunk(kTime, "", previous);
  return body + (trailer.empty() ? "\r\n" : signer.trailer(kTime, trailer, previous));
}

const Outcome kHello{"done", "hello", {}};
const Outcome kHelloTrailer{"done", "hello", {{"x-amz-checksum-crc32", "NhCmhg=="}}};
constexpr std::string_view kCrcLine = "x-amz-checksum-crc32:NhCmhg==\n";

// "Transferring Payload in Multiple Chunks" of the S3 API reference, byte by byte.
TEST(AwsChunked, DecodesTheSignedExampleOfTheReference) {
  auto given = options(PayloadKind::streaming_signed, 66'560);
  given.seed_signature = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
  const std::string body =
      "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
      std::string(65'536, 'a') +
      "\r\n400;chunk-signature="
      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
      std::string(1024, 'a') +
      "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n"
      "\r\n";
  EXPECT_EQ(body.size(), 66'824u);
  EXPECT_EQ(decode(given, body), (Outcome{"done", std::string(66'560, 'a'), {}}));
  given.seed_signature[0] = '5';
  EXPECT_EQ(decode(given, body).code, "SignatureDoesNotMatch");
}

// "Signature Calculations for Trailing Headers" of the S3 API reference.
TEST(AwsChunked, DecodesTheTrailerExampleOfTheReference) {
  auto given = options(PayloadKind::streaming_signed_trailer, 66'560, {"x-amz-checksum-crc32c"});
  given.seed_signature = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
  const std::string body =
      "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" +
      std::string(65'536, 'a') +
      "\r\n400;chunk-signature="
      "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" +
      std::string(1024, 'a') +
      "\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
      "x-amz-checksum-crc32c:sOO8/Q==\r\n"
      "x-amz-trailer-signature:"
      "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
  EXPECT_EQ(decode(given, body),
            (Outcome{"done", std::string(66'560, 'a'), {{"x-amz-checksum-crc32c", "sOO8/Q=="}}}));
  std::string forged = body;
  forged.replace(forged.find("sOO8"), 4, "sOO9");
  EXPECT_EQ(decode(given, forged).code, "SignatureDoesNotMatch");
}

TEST(AwsChunked, DecodesWhereverItIsCut) {
  struct Form {
    AwsChunkedDecoder::Options given;
    std::string body;
    Outcome expected;
  };
  const Form forms[] = {
      {options(PayloadKind::streaming_signed, 5), signed_body({"hello"}), kHello},
      {options(PayloadKind::streaming_signed_trailer, 5, {"x-amz-checksum-crc32"}),
       signed_body({"hello"}, kCrcLine), kHelloTrailer},
      {options(PayloadKind::streaming_unsigned_trailer, 5, {"x-amz-checksum-crc32"}),
       "2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", kHelloTrailer},
      {options(PayloadKind::streaming_signed, 0), signed_body({}), {"done", "", {}}},
      {options(PayloadKind::streaming_unsigned_trailer, 0), "0\r\n\r\n", {"done", "", {}}},
  };
  for (const Form& form : forms) {
    std::vector<size_t> every;
    for (size_t first = 0; first <= form.body.size(); ++first) {
      ASSERT_EQ(decode(form.given, form.body, {first}), form.expected) << form.body << first;
      every.push_back(first);
      // Whatever is missing at the end is missed.
      if (first < form.body.size()) {
        ASSERT_EQ(decode(form.given, form.body.substr(0, first)).code, "open") << first;
      }
    }
    EXPECT_EQ(decode(form.given, form.body, every), form.expected);
  }
}

TEST(AwsChunked, EveryBitOfASignedBodyIsProven) {
  const auto given = options(PayloadKind::streaming_signed_trailer, 5, {"x-amz-checksum-crc32"});
  const std::string body = signed_body({"hello"}, kCrcLine);
  for (size_t i = 0; i < body.size(); ++i) {
    for (const int bit : {0, 4, 5}) {
      std::string changed = body;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      const Outcome outcome = decode(given, changed);
      if (outcome.code != "done") continue;
      // Only the spelling of a name or of a chunk's size may differ.
      EXPECT_EQ(outcome, kHelloTrailer) << i << " " << bit;
    }
  }
}

TEST(AwsChunked, ChunkSignaturesFormAChain) {
  const std::string a(8192, 'a'), b(8192, 'b');
  const auto given = options(PayloadKind::streaming_signed, 16'384);
  EXPECT_EQ(decode(given, signed_body({a, b})).code, "done");
  // Two chunks swapped, each with its own right signature.
  const std::string ab = signed_body({a, b});
  const size_t chunk = ab.find("\r\n", ab.find("\r\n") + 2) + 2;
  const std::string swapped = ab.substr(chunk, chunk) + ab.substr(0, chunk) + ab.substr(2 * chunk);
  EXPECT_EQ(decode(given, swapped).code, "SignatureDoesNotMatch");
}

TEST(AwsChunked, OnlyTheLastSignedChunkMayBeShort) {
  const auto given = options(PayloadKind::streaming_signed, 8192 + 5);
  EXPECT_EQ(decode(given, signed_body({std::string(8192, 'x'), "hello"})).code, "done");
  EXPECT_EQ(decode(given, signed_body({"hello", std::string(8192, 'x')})).code,
            "InvalidChunkSizeError");
}

TEST(AwsChunked, TheDecodedLengthMustBeThePromisedOne) {
  for (const uint64_t promised : {uint64_t{0}, uint64_t{4}, uint64_t{6}, UINT64_MAX}) {
    EXPECT_EQ(decode(options(PayloadKind::streaming_signed, promised), signed_body({"hello"})).code,
              "IncompleteBody")
        << promised;
    EXPECT_EQ(decode(options(PayloadKind::streaming_unsigned_trailer, promised),
                     "5\r\nhello\r\n0\r\n\r\n")
                  .code,
              "IncompleteBody")
        << promised;
  }
  EXPECT_EQ(decode(options(PayloadKind::streaming_unsigned_trailer, 5),
                   "5\r\nhello\r\nffffffffffffffff\r\n")
                .code,
            "IncompleteBody");
}

TEST(AwsChunked, RefusesBadFraming) {
  const std::string_view cases[] = {
      "5\nhello\r\n0\r\n\r\n",                            // bare LF
      "5\r\nhello0\r\n\r\n",                              // no end of the chunk
      "5\r\nhello!\r\n0\r\n\r\n",                         // longer than its size
      "-5\r\nhello\r\n0\r\n\r\n",                         //
      "+5\r\nhello\r\n0\r\n\r\n",                         //
      "0x5\r\nhello\r\n0\r\n\r\n",                        //
      " 5\r\nhello\r\n0\r\n\r\n",                         //
      "5 \r\nhello\r\n0\r\n\r\n",                         //
      "\r\n5\r\nhello\r\n0\r\n\r\n",                      //
      "00000000000000005\r\nhello\r\n0\r\n\r\n",          // 17 digits
      "5;chunk-signature=00\r\nhello\r\n0\r\n\r\n",       // signed where none is
      "5;x=y\r\nhello\r\n0\r\n\r\n",                      //
      "5\r\nhello\r\n0\r\n\r\n0\r\n\r\n",                 // bytes behind the end
      "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:a\n\r\n",  // LF in the trailer
  };
  for (const std::string_view body : cases) {
    EXPECT_EQ(decode(options(PayloadKind::streaming_unsigned_trailer, 5), body).code,
              "IncompleteBody")
        << body;
  }
  const std::string long_line = "5;" + std::string(300, 'x');
  EXPECT_EQ(decode(options(PayloadKind::streaming_unsigned_trailer, 5), long_line).code,
            "IncompleteBody");
  // A signed body whose chunks are not signed.
  for (const std::string_view body :
       {"5\r\nhello\r\n0\r\n\r\n", "5;chunk-signature=\r\nhello\r\n0\r\n\r\n",
        "5;chunk-signature=abcd\r\nhello\r\n0\r\n\r\n"}) {
    EXPECT_EQ(decode(options(PayloadKind::streaming_signed, 5), body).code, "IncompleteBody");
  }
}

TEST(AwsChunked, TrailersMustBeThoseAnnouncedEachOnce) {
  const auto decoded = [](std::vector<std::string> announced, std::string_view trailer) {
    return decode(options(PayloadKind::streaming_unsigned_trailer, 5, std::move(announced)),
                  fmt::format("5\r\nhello\r\n0\r\n{}\r\n", trailer))
        .code;
  };
  const std::string line = "x-amz-checksum-crc32:NhCmhg==\r\n";
  EXPECT_EQ(decoded({"x-amz-checksum-crc32"}, line), "done");
  EXPECT_EQ(decoded({"x-amz-checksum-crc32"}, "X-Amz-Checksum-CRC32: NhCmhg== \r\n"), "done");
  EXPECT_EQ(decoded({"x-amz-checksum-crc32"}, ""), "MalformedTrailerError");
  EXPECT_EQ(decoded({}, line), "MalformedTrailerError");
  EXPECT_EQ(decoded({"x-amz-checksum-crc32"}, line + line), "MalformedTrailerError");
  EXPECT_EQ(decoded({"x-amz-checksum-crc32"}, "no colon\r\n"), "MalformedTrailerError");
  EXPECT_EQ(decoded({"x-amz-checksum-crc32"}, ": empty\r\n"), "MalformedTrailerError");
  EXPECT_EQ(decoded({"x-amz-checksum-crc32"}, line + "x-amz-trailer-signature:00\r\n"),
            "MalformedTrailerError");
  // Where no trailer may be.
  std::string body = signed_body({"hello"});
  body.insert(body.size() - 2, line);
  EXPECT_EQ(decode(options(PayloadKind::streaming_signed, 5), body).code, "MalformedTrailerError");
}

TEST(AwsChunked, ASignedTrailerNeedsItsSignature) {
  const auto given = options(PayloadKind::streaming_signed_trailer, 5, {"x-amz-checksum-crc32"});
  std::string body = signed_body({"hello"}, kCrcLine);
  const size_t at = body.find("x-amz-trailer-signature");
  EXPECT_EQ(decode(given, body.substr(0, at) + "\r\n").code, "SignatureDoesNotMatch");
  // A trailer behind the signature is not covered by it.
  body.insert(body.size() - 2, "x-amz-checksum-crc32:NhCmhg==\r\n");
  body.erase(body.find(kCrcLine.substr(0, 20)), 31);
  EXPECT_EQ(decode(given, body).code, "MalformedTrailerError");
}

}  // namespace
}  // namespace turbine::s3
