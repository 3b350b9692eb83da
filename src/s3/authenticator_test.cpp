#include "s3/authenticator.hpp"

#include <gtest/gtest.h>

#include "support/s3_signer.hpp"
#include "support/virtual_time.hpp"

namespace turbine::s3 {
namespace {

using test::Fields;
using test::S3Signer;

class OneCredential final : public CredentialSource {
 public:
  std::optional<Credential> find(std::string_view access_key) const override {
    if (access_key != signer.access_key) return std::nullopt;
    return Credential{signer.secret_key, {7, "seven", signer.access_key, false}};
  }
  S3Signer signer;
};

class AuthenticatorTest : public testing::Test {
 protected:
  S3Result<Authentication> ask(const std::string& text) {
    const auto head = RequestHead::parse(text);
    if (!head.ok()) return s3_fail(S3Code::internal_error, "{}", head.error().context);
    const auto uri = Uri::parse(head->target());
    if (!uri.ok()) return s3_fail(S3Code::internal_error, "{}", uri.error().context);
    return authenticator_.authenticate(*head, *uri);
  }
  S3Result<Authentication> ask_presigned(std::string_view method, std::string_view target,
                                         const Fields& fields = {}) {
    Fields all = {{"host", signer_.host}};
    all.insert(all.end(), fields.begin(), fields.end());
    return ask(S3Signer::text_of(method, target, all));
  }
  void expect_code(const S3Result<Authentication>& result, S3Code code) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(s3_code_name(result.error().code), s3_code_name(code)) << result.error().message;
  }
  int64_t now() const { return time_.wall_now().ns / 1'000'000'000; }
  std::string signed_get(std::string_view hash = kEmptySha256, const Fields& fields = {}) {
    return signer_.sign("GET", "/b/k", fields, hash, now()).text;
  }

  test::VirtualTime time_;
  OneCredential credentials_;
  S3Signer signer_;
  Authenticator authenticator_{credentials_, time_, "us-east-1"};
};

TEST_F(AuthenticatorTest, NamesWhoSigned) {
  const auto result = ask(signed_get());
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->principal.user, 7u);
  EXPECT_EQ(result->principal.user_name, "seven");
  EXPECT_FALSE(result->principal.root);
  EXPECT_EQ(result->payload, PayloadKind::hashed);
  EXPECT_EQ(result->payload_sha256, kEmptySha256);
}

TEST_F(AuthenticatorTest, RefusesWhoSignsNothing) {
  expect_code(ask("GET /b/k HTTP/1.1\r\nhost: h\r\n\r\n"), S3Code::access_denied);
  expect_code(ask("GET /b/k?AWSAccessKeyId=x&Signature=y HTTP/1.1\r\nhost: h\r\n\r\n"),
              S3Code::invalid_request);
  expect_code(ask("GET /b/k HTTP/1.1\r\nhost: h\r\nauthorization: \r\n\r\n"),
              S3Code::invalid_request);
}

TEST_F(AuthenticatorTest, RefusesAnyChangedByte) {
  const std::string good =
      signer_.sign("GET", "/b/key?x=1", {{"x-amz-meta-a", "v"}}, kEmptySha256, now()).text;
  ASSERT_TRUE(ask(good).has_value());
  const std::pair<std::string_view, std::string_view> changes[] = {
      {"GET ", "PUT "},
      {"/b/key", "/b/kez"},
      {"?x=1", "?x=2"},
      {"?x=1", "?x=1&acl"},
      {"?x=1", "?x=1&=1"},
      {"s3.test", "s3.tesu"},
      {"x-amz-meta-a: v", "x-amz-meta-a: w"},
      {"x-amz-meta-a: v", "x-amz-meta-a: v\r\nx-amz-meta-a: w"},
      {"e3b0c442", "e3b0c443"},
  };
  for (const auto& [from, to] : changes) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    const auto result = ask(text);
    ASSERT_FALSE(result.has_value()) << to;
    EXPECT_EQ(result.error().code, S3Code::signature_does_not_match) << to;
  }
}

TEST_F(AuthenticatorTest, UnknownKeysAndWrongSecretsAreRefused) {
  S3Signer stranger = signer_;
  stranger.access_key = "AKIASTRANGER";
  expect_code(ask(stranger.sign("GET", "/b/k", {}, kEmptySha256, now()).text),
              S3Code::invalid_access_key_id);
  S3Signer guesser = signer_;
  guesser.secret_key = "guess";
  expect_code(ask(guesser.sign("GET", "/b/k", {}, kEmptySha256, now()).text),
              S3Code::signature_does_not_match);
}

TEST_F(AuthenticatorTest, AllowsFifteenMinutesOfSkew) {
  const auto at = [&](int64_t seconds) {
    return ask(signer_.sign("GET", "/b/k", {}, kEmptySha256, now() + seconds).text);
  };
  EXPECT_TRUE(at(-900).has_value());
  EXPECT_TRUE(at(900).has_value());
  expect_code(at(-901), S3Code::request_time_too_skewed);
  expect_code(at(901), S3Code::request_time_too_skewed);
  expect_code(ask("GET / HTTP/1.1\r\nhost: h\r\nauthorization: AWS4-HMAC-SHA256 Credential="
                  "k/20130524/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=" +
                  std::string(64, 'a') + "\r\n\r\n"),
              S3Code::access_denied);  // no time at all
}

TEST_F(AuthenticatorTest, TheScopeMustNameThisDayRegionAndService) {
  S3Signer elsewhere = signer_;
  elsewhere.region = "eu-west-1";
  const auto result = ask(elsewhere.sign("GET", "/b/k", {}, kEmptySha256, now()).text);
  expect_code(result, S3Code::authorization_header_malformed);
  EXPECT_EQ(result.error().elements.at(0), (std::pair<std::string, std::string>{
                                               "Region", "us-east-1"}));  // clients correct theirs
  S3Signer other = signer_;
  other.service = "sts";
  expect_code(ask(other.sign("GET", "/b/k", {}, kEmptySha256, now()).text),
              S3Code::authorization_header_malformed);
  std::string text = signed_get();
  const std::string day = S3Signer::timestamp(now()).substr(0, 8);
  text.replace(text.find("/" + day), 9, "/20000101");
  expect_code(ask(text), S3Code::authorization_header_malformed);

  authenticator_.set_region("");
  EXPECT_TRUE(ask(elsewhere.sign("GET", "/b/k", {}, kEmptySha256, now()).text).has_value());
}

// A field added to somebody's presigned PUT must not turn it into a copy of any object.
TEST_F(AuthenticatorTest, EveryAmzFieldMustBeSigned) {
  expect_code(ask(signer_
                      .sign("PUT", "/b/k", {}, kEmptySha256, now(),
                            {{"X-Amz-Copy-Source", "/secret/object"}})
                      .text),
              S3Code::access_denied);
  const std::string target = signer_.presign("PUT", "/b/k", now(), 60);
  EXPECT_TRUE(ask_presigned("PUT", target).has_value());
  expect_code(ask_presigned("PUT", target, {{"x-amz-copy-source", "/secret/object"}}),
              S3Code::access_denied);
  expect_code(ask_presigned("PUT", target, {{"x-amz-acl", "private"}}), S3Code::access_denied);
}

TEST_F(AuthenticatorTest, HostMustBeSigned) {
  std::string text = signed_get();
  const size_t at = text.find("SignedHeaders=host;");
  text.replace(at, 19, "SignedHeaders=");
  expect_code(ask(text), S3Code::access_denied);
}

TEST_F(AuthenticatorTest, SignedHeadersMustBeLowerCaseTokensEachOnce) {
  for (const std::string_view names : {"SignedHeaders=host;host;", "SignedHeaders=host;Range;",
                                       "SignedHeaders=host;;", "SignedHeaders=host;a b;"}) {
    std::string text = signed_get();
    text.replace(text.find("SignedHeaders=host;"), 19, names);
    expect_code(ask(text), S3Code::authorization_header_malformed);
  }
}

TEST_F(AuthenticatorTest, TwoWaysOfSigningAtOnceAreRefused) {
  const std::string target = signer_.presign("GET", "/b/k", now(), 60);
  expect_code(ask(signer_.sign("GET", target, {}, kEmptySha256, now()).text),
              S3Code::invalid_argument);
  std::string twice = signed_get();
  const size_t at = twice.find("authorization:");
  twice.insert(at, twice.substr(at, twice.find("\r\n", at) + 2 - at));
  expect_code(ask(twice), S3Code::invalid_argument);
}

TEST_F(AuthenticatorTest, KnowsThePayloadKindsAndNoOthers) {
  const std::pair<std::string, PayloadKind> known[] = {
      {"UNSIGNED-PAYLOAD", PayloadKind::unsigned_payload},
      {std::string(64, 'a'), PayloadKind::hashed},
      {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", PayloadKind::streaming_signed},
      {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", PayloadKind::streaming_signed_trailer},
      {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", PayloadKind::streaming_unsigned_trailer},
  };
  for (const auto& [value, kind] : known) {
    const auto result = ask(signed_get(value));
    ASSERT_TRUE(result.has_value()) << value;
    EXPECT_EQ(result->payload, kind) << value;
  }
  for (const std::string& value :
       {std::string("STREAMING-UNSIGNED-PAYLOAD"), std::string("unsigned-payload"),
        std::string(63, 'a'), std::string(64, 'A'), std::string(64, 'g'),
        std::string("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")}) {
    expect_code(ask(signed_get(value)), S3Code::invalid_argument);
  }
  std::string without = signed_get();
  const size_t at = without.find("x-amz-content-sha256:");
  without.erase(at, without.find("\r\n", at) + 2 - at);
  expect_code(ask(without), S3Code::invalid_request);
}

TEST_F(AuthenticatorTest, PresignedUrlsExpire) {
  const auto at = [&](int64_t signed_at, uint64_t expires) {
    return ask_presigned("GET", signer_.presign("GET", "/b/k", signed_at, expires));
  };
  EXPECT_TRUE(at(now(), 1).has_value());
  EXPECT_TRUE(at(now() - 60, 60).has_value());
  expect_code(at(now() - 61, 60), S3Code::access_denied);
  EXPECT_TRUE(at(now() - 604'800, 604'800).has_value());
  expect_code(at(now() - 604'801, 604'800), S3Code::access_denied);
  EXPECT_TRUE(at(now() + 900, 60).has_value());
  expect_code(at(now() + 901, 60), S3Code::access_denied);
}

TEST_F(AuthenticatorTest, AChangedPresignedUrlIsRefused) {
  const std::string target = signer_.presign("GET", "/b/k", now(), 60);
  ASSERT_TRUE(ask_presigned("GET", target).has_value());
  expect_code(ask_presigned("PUT", target), S3Code::signature_does_not_match);
  expect_code(ask_presigned("GET", target + "&versionId=1"), S3Code::signature_does_not_match);
  std::string longer = target;
  longer.replace(longer.find("Expires=60"), 10, "Expires=99");
  expect_code(ask_presigned("GET", longer), S3Code::signature_does_not_match);
  std::string other = target;
  other.replace(other.find("/b/k"), 4, "/b/l");
  expect_code(ask_presigned("GET", other), S3Code::signature_does_not_match);
}

TEST_F(AuthenticatorTest, OneDecodingServesSignatureAndRoute) {
  // The same bytes in another spelling are the same request.
  std::string text = signer_.sign("GET", "/b/a~b%2Fc", {}, kEmptySha256, now()).text;
  text.replace(text.find("/b/a~b%2Fc"), 10, "/b/a%7eb/c");
  EXPECT_TRUE(ask(text).has_value());
  // A second decoding would make another key of it.
  text.replace(text.find("/b/a%7eb/c"), 10, "/b/a%257eb/c");
  expect_code(ask(text), S3Code::signature_does_not_match);
}

}  // namespace
}  // namespace turbine::s3
