// Signatures against those that AWS has published: the examples of the S3 API reference ("Signature
// Calculations for the Authorization Header", "Using Query Parameters") and cases of the general
// SigV4 test suite; further ones were made with botocore 1.43.
#include "s3/sigv4.hpp"

#include <gtest/gtest.h>

#include "support/s3_signer.hpp"

namespace turbine::s3 {
namespace {

using test::Fields;
using test::S3Signer;

struct Case {
  std::string_view name, method, target;
  Fields fields;  // all are signed
  std::string_view payload_hash, signature;
};

/// The signature of a request as a client of `signer` would send it.
std::string signature_of(const S3Signer& signer, std::string_view time, const Case& c) {
  const auto head = RequestHead::parse(S3Signer::text_of(c.method, c.target, c.fields));
  const auto uri = Uri::parse(c.target);
  if (!head.ok() || !uri.ok()) return "does not parse";
  SignatureClaim claim;
  claim.date = time.substr(0, 8);
  claim.region = signer.region;
  claim.service = signer.service;
  claim.timestamp = time;
  for (const auto& field : c.fields) {
    std::string name = lower_case(field.first);
    if (claim.signed_headers.empty() || claim.signed_headers.back() != name) {
      claim.signed_headers.push_back(std::move(name));
    }
  }
  std::ranges::sort(claim.signed_headers);
  return sign(signer.signing_key(time),
              string_to_sign(claim, canonical_request(*head, *uri, claim, c.payload_hash)));
}

TEST(SigV4, GivesTheSignaturesOfTheS3Reference) {
  constexpr std::string_view kTime = "20130524T000000Z";
  constexpr std::string_view kPutHash =
      "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
  const std::pair<std::string, std::string> host = {"Host", "examplebucket.s3.amazonaws.com"};
  const std::pair<std::string, std::string> date = {"x-amz-date", std::string(kTime)};
  const std::pair<std::string, std::string> empty = {"x-amz-content-sha256",
                                                     std::string(kEmptySha256)};
  const Case cases[] = {
      {"GET Object",
       "GET",
       "/test.txt",
       {host, {"Range", "bytes=0-9"}, empty, date},
       kEmptySha256,
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"PUT Object",
       "PUT",
       "/test$file.text",
       {host,
        {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
        {"x-amz-content-sha256", std::string(kPutHash)},
        date,
        {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       kPutHash,
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"GET Bucket Lifecycle",
       "GET",
       "/?lifecycle",
       {host, empty, date},
       kEmptySha256,
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"List Objects",
       "GET",
       "/?max-keys=2&prefix=J",
       {host, empty, date},
       kEmptySha256,
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(signature_of(S3Signer{}, kTime, c), c.signature) << c.name;
  }
}

TEST(SigV4, GivesTheSignaturesOfTheGeneralTestSuite) {
  constexpr std::string_view kTime = "20150830T123600Z";
  S3Signer signer{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service",
                  "example.amazonaws.com"};
  const std::pair<std::string, std::string> host = {"Host", "example.amazonaws.com"};
  const std::pair<std::string, std::string> date = {"X-Amz-Date", std::string(kTime)};
  const Case cases[] = {
      {"get-vanilla-query-order-key-case",
       "GET",
       "/?Param2=value2&Param1=value1",
       {host, date},
       kEmptySha256,
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-header-value-trim",
       "GET",
       "/",
       {host, {"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}, date},
       kEmptySha256,
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"get-header-value-order",
       "GET",
       "/",
       {host,
        {"My-Header1", "value4"},
        {"My-Header1", "value1"},
        {"My-Header1", "value3"},
        {"My-Header1", "value2"},
        date},
       kEmptySha256,
       "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
      {"get-utf8",
       "GET",
       "/%E1%88%B4",
       {host, date},
       kEmptySha256,
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-space",
       "GET",
       "/example%20space/",
       {host, date},
       kEmptySha256,
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {"post-header-value-case",
       "POST",
       "/",
       {host, {"My-Header1", "VALUE1"}, date},
       kEmptySha256,
       "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
  };
  for (const Case& c : cases) EXPECT_EQ(signature_of(signer, kTime, c), c.signature) << c.name;
}

TEST(SigV4, AgreesWithBotocoreOnAwkwardPathsAndQueries) {
  constexpr std::string_view kTime = "20130524T000000Z";
  const Fields fields = {{"host", "s3.test"},
                         {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"},
                         {"x-amz-date", std::string(kTime)}};
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"GET /bucket/a%20b%2Bc/~x%21%27%28%29%2A%3B%3A%40%26%3D%24%2C%23%3F%5B%5D",
       "c183662f43ef5cb9ec9c94ddefe6da0c5ce172200dcb904b9d9a043deee29bc2"},
      {"GET /bucket///../.%5C/%252e",
       "3ea2a22287484eb6d5d094f60b5e1f4af4e21e19a47ee3d68618289ad1b9b46f"},
      {"GET /bucket/%D0%BA%D0%BB%D1%8E%D1%87/%C3%BC%F0%9F%98%80",
       "25bd8a5ed0b5748c9a32f6abc36b62771b0d35f851c3ffbb6a5d60c089eba540"},
      {"GET /bucket?list-type=2&prefix=a%20b%2Bc&delimiter=%2F&start-after=&max-keys=7&"
       "encoding-type=url",
       "4578533c697b47f13b56446adf94909e9b4f2b9b0d29f1c500a299dbb625f924"},
      {"POST /bucket?delete", "450f8081dff11872c7f1805a9915253e95d34b7141b3931afda391236b160e70"},
      {"GET /bucket?b=2&a=2&a=1&A=3&aa=0&a-=1&a=10",
       "d14fbaad5f7634de6fb03adb6e012a6932137412efd08119cc1859d5ae0717bb"},
  };
  for (const auto& [line, signature] : cases) {
    const size_t blank = line.find(' ');
    const Case c{line,   line.substr(0, blank), line.substr(blank + 1),
                 fields, kUnsignedPayload,      signature};
    EXPECT_EQ(signature_of(S3Signer{}, kTime, c), signature) << line;
  }
}

TEST(SigV4, GivesThePresignedUrlOfTheS3Reference) {
  S3Signer signer;
  signer.host = "examplebucket.s3.amazonaws.com";
  EXPECT_EQ(signer.presign("GET", "/test.txt", 1'369'353'600, 86'400),
            "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F"
            "20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires="
            "86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SigV4, CanonicalQuerySortsByEncodedNameThenValue) {
  const auto canonical = [](std::string_view raw, std::string_view without = {}) {
    return canonical_query(Query::parse(raw).value(), without);
  };
  EXPECT_EQ(canonical(""), "");
  EXPECT_EQ(canonical("acl"), "acl=");
  EXPECT_EQ(canonical("b=1&a=2&a=1&a"), "a=&a=1&a=2&b=1");
  EXPECT_EQ(canonical("a%3D=1&a=%26"), "a=%26&a%3D=1");
  EXPECT_EQ(canonical("x=a+b&y=a%2Bb&z=~_-."), "x=a%20b&y=a%2Bb&z=~_-.");
  EXPECT_EQ(canonical("s=1&X-Amz-Signature=abc&x-amz-signature=d", "X-Amz-Signature"),
            "s=1&x-amz-signature=d");
}

// A parameter that nobody signed could be added to a signed request.
TEST(SigV4, CanonicalQueryKeepsParametersWithoutAName) {
  EXPECT_EQ(canonical_query(Query::parse("=1&a=2").value(), ""), "=1&a=2");
}

Result<RequestHead> head_with(std::string_view authorization, std::string_view more = {}) {
  return RequestHead::parse(
      fmt::format("GET / HTTP/1.1\r\nhost: h\r\nauthorization: {}\r\n{}\r\n", authorization, more));
}

const std::string kSignature(64, 'a');

TEST(SigV4, ReadsTheAuthorizationField) {
  for (const char* separator : {", ", ","}) {
    const auto head = head_with(
        fmt::format("AWS4-HMAC-SHA256 Credential=a/b/key/20130524/us-east-1/s3/aws4_request{}"
                    "SignedHeaders=host;range;x-amz-date{}Signature={}",
                    separator, separator, kSignature),
        "x-amz-date: 20130524T000001Z\r\n");
    const auto claim = parse_authorization(*head);
    ASSERT_TRUE(claim.has_value());
    EXPECT_EQ(claim->access_key, "a/b/key");
    EXPECT_EQ(claim->scope(), "20130524/us-east-1/s3/aws4_request");
    EXPECT_EQ(claim->signed_headers, (std::vector<std::string>{"host", "range", "x-amz-date"}));
    EXPECT_EQ(claim->signature, kSignature);
    EXPECT_EQ(claim->timestamp, "20130524T000001Z");
    EXPECT_FALSE(claim->presigned);
  }
}

TEST(SigV4, TakesTheTimeFromTheDateFieldWhenThereIsNoOther) {
  const auto head = head_with(
      "AWS4-HMAC-SHA256 Credential=k/20130524/us-east-1/s3/aws4_request,"
      "SignedHeaders=host,Signature=" +
          kSignature,
      "date: Fri, 24 May 2013 07:08:09 GMT\r\n");
  EXPECT_EQ(parse_authorization(*head)->timestamp, "20130524T070809Z");
}

TEST(SigV4, RefusesMalformedAuthorizationFields) {
  const std::string credential = "Credential=k/20130524/us-east-1/s3/aws4_request";
  const std::string signature = "Signature=" + kSignature;
  const std::pair<std::string, S3Code> cases[] = {
      {"AWS key:signature", S3Code::invalid_request},
      {"Basic abc", S3Code::invalid_request},
      {"AWS4-HMAC-SHA256", S3Code::invalid_request},
      {"AWS4-HMAC-SHA512 " + credential, S3Code::invalid_request},
      {"AWS4-HMAC-SHA256 x", S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 " + credential + ",SignedHeaders=host",
       S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 " + credential + "," + signature, S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 SignedHeaders=host," + signature, S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 " + credential + "," + credential + ",SignedHeaders=host," + signature,
       S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 " + credential + ",SignedHeaders=host,SignedHeaders=x," + signature,
       S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 " + credential + ",SignedHeaders=host," + signature + "," + signature,
       S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 " + credential + ",SignedHeaders=host," + signature + ",More=1",
       S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 " + credential + ",SignedHeaders=host,Signature=" + std::string(64, 'A'),
       S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 " + credential + ",SignedHeaders=host,Signature=abcd",
       S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 Credential=k/20130524/us-east-1/s3,SignedHeaders=host," + signature,
       S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 Credential=k/2013-5-24/us-east-1/s3/aws4_request,SignedHeaders=host," +
           signature,
       S3Code::authorization_header_malformed},
      {"AWS4-HMAC-SHA256 Credential=/20130524/us-east-1/s3/aws4_request,SignedHeaders=host," +
           signature,
       S3Code::authorization_header_malformed},
  };
  for (const auto& [text, code] : cases) {
    const auto claim = parse_authorization(*head_with(text));
    ASSERT_FALSE(claim.has_value()) << text;
    EXPECT_EQ(claim.error().code, code) << text;
  }
}

TEST(SigV4, RefusesMalformedPresignedQueries) {
  const std::string good =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k%2F20130524%2Fr%2Fs3%2Faws4_request&"
      "X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=" +
      kSignature;
  const auto parse = [](const std::string& raw) {
    return parse_presigned(Query::parse(raw).value());
  };
  const auto claim = parse(good);
  ASSERT_TRUE(claim.has_value());
  EXPECT_TRUE(claim->presigned);
  EXPECT_EQ(claim->expires_s, 60u);
  EXPECT_EQ(claim->scope(), "20130524/r/s3/aws4_request");

  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string raw = good;
    return raw.replace(raw.find(from), from.size(), to);
  };
  const std::string cases[] = {
      replaced("X-Amz-Expires=60", "X-Amz-Expires=0"),
      replaced("X-Amz-Expires=60", "X-Amz-Expires=604801"),
      replaced("X-Amz-Expires=60", "X-Amz-Expires=-1"),
      replaced("X-Amz-Expires=60", "X-Amz-Expires=99999999999999999999999"),
      replaced("X-Amz-Expires=60", "x=y"),
      replaced("X-Amz-Expires=60", "X-Amz-Expires=60&X-Amz-Expires=70"),
      replaced("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
      replaced("k%2F20130524", "20130524"),
      replaced("X-Amz-Date=20130524T000000Z", "Date=x"),
      replaced(kSignature, "short"),
      good + "&X-Amz-Signature=" + kSignature,
  };
  for (const std::string& raw : cases) {
    const auto refused = parse(raw);
    ASSERT_FALSE(refused.has_value()) << raw;
    EXPECT_EQ(refused.error().code, S3Code::authorization_query_parameters_error) << raw;
  }
}

}  // namespace
}  // namespace turbine::s3
