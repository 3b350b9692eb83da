// Operations on the service and on buckets, who may do what, and requests that are nothing at all.
#include "support/s3_service_fixture.hpp"

namespace turbine::test {
namespace {

class S3Buckets : public S3ServiceFixture {};

TEST_F(S3Buckets, AreMadeFoundListedAndRemoved) {
  const S3Answer made = call("PUT", "/bucket");
  EXPECT_EQ(made.verdict(), "200");
  EXPECT_EQ(made.field("location"), "/bucket");
  EXPECT_EQ(made.field("x-amz-request-id").size(), 16u);
  EXPECT_EQ(verdict("PUT", "/another/"), "200");
  EXPECT_EQ(verdict("HEAD", "/bucket"), "200");
  EXPECT_EQ(call("HEAD", "/bucket").field("x-amz-bucket-region"), "us-east-1");
  const S3Answer list = call("GET", "/");
  EXPECT_EQ(list.elements("Name"), (std::vector<std::string>{"another", "bucket"}));
  EXPECT_EQ(list.element("DisplayName"), "root");
  EXPECT_EQ(list.field("content-type"), "application/xml");
  EXPECT_EQ(verdict("DELETE", "/bucket"), "204");
  EXPECT_EQ(verdict("HEAD", "/bucket"), "404 NoSuchBucket");
  EXPECT_EQ(verdict("DELETE", "/bucket"), "404 NoSuchBucket");
}

TEST_F(S3Buckets, ListingThemHonoursAPrefix) {
  for (const char* target : {"/one", "/two", "/twofold"}) EXPECT_EQ(verdict("PUT", target), "200");
  EXPECT_EQ(call("GET", "/?prefix=two").elements("Name"),
            (std::vector<std::string>{"two", "twofold"}));
}

TEST_F(S3Buckets, RefuseBadNamesAndSecondOwners) {
  for (const char* target : {"/ab", "/Bucket", "/a_b", "/192.168.0.1", "/b%2e%2e"}) {
    EXPECT_EQ(verdict("PUT", target), "400 InvalidBucketName") << target;
  }
  EXPECT_EQ(verdict("GET", "/a%00b?acl"), "400 InvalidBucketName");
  EXPECT_EQ(verdict("GET", "/..?list-type=2"), "400 InvalidBucketName");
  EXPECT_EQ(verdict("PUT", "/bucket"), "200");
  EXPECT_EQ(verdict("PUT", "/bucket"), "409 BucketAlreadyOwnedByYou");
  signer_ = ThreeUsers::alice();
  EXPECT_EQ(verdict("PUT", "/bucket"), "409 BucketAlreadyExists");
}

TEST_F(S3Buckets, ReadTheirConfiguration) {
  const auto located = [](std::string_view where) {
    return fmt::format(
        "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint>"
        "</CreateBucketConfiguration>",
        where);
  };
  EXPECT_EQ(verdict("PUT", "/here", located("us-east-1")), "200");
  EXPECT_EQ(verdict("PUT", "/there", located("eu-west-1")), "400 InvalidLocationConstraint");
  EXPECT_EQ(verdict("PUT", "/there", "<rubbish"), "400 MalformedXML");
  EXPECT_EQ(verdict("PUT", "/there", "", {{"x-amz-acl", "public-read"}}), "501 NotImplemented");
  EXPECT_EQ(verdict("PUT", "/there", "", {{"x-amz-bucket-object-lock-enabled", "true"}}),
            "501 NotImplemented");
  EXPECT_EQ(verdict("HEAD", "/there"), "404 NoSuchBucket");
}

TEST_F(S3Buckets, GoOnlyWhenEmpty) {
  put("/bucket", "");
  put("/bucket/a/b", "x");
  EXPECT_EQ(verdict("DELETE", "/bucket"), "409 BucketNotEmpty");
  EXPECT_EQ(verdict("DELETE", "/bucket/a/b"), "204");
  EXPECT_EQ(verdict("DELETE", "/bucket"), "204");
}

TEST_F(S3Buckets, AnswerTheirSmallQuestions) {
  put("/bucket", "");
  EXPECT_EQ(call("GET", "/bucket?location").body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint "
            "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></LocationConstraint>");
  EXPECT_EQ(call("GET", "/bucket?versioning").element("Status"), "");
  EXPECT_EQ(call("GET", "/bucket?acl").element("Permission"), "FULL_CONTROL");
  EXPECT_EQ(verdict("PUT", "/bucket?acl", "", {{"x-amz-acl", "private"}}), "200");
  EXPECT_EQ(verdict("PUT", "/bucket?acl", "", {{"x-amz-acl", "public-read"}}),
            "501 NotImplemented");
  EXPECT_EQ(verdict("PUT", "/bucket?acl", "<AccessControlPolicy/>"), "501 NotImplemented");
  for (const char* query : {"location", "versioning", "acl", "uploads", "list-type=2"}) {
    EXPECT_EQ(verdict("GET", fmt::format("/missing?{}", query)), "404 NoSuchBucket") << query;
  }
  service_ = std::make_unique<s3::S3Service>(files_, users_, time_, "eu-x");
  signer_.region = "eu-x";
  EXPECT_NE(call("GET", "/bucket?location").body.find(">eu-x</Loc"), std::string::npos);
}

TEST_F(S3Buckets, BelongToWhoMadeThem) {
  signer_ = ThreeUsers::alice();
  put("/alices", "");
  put("/alices/k", "secret");
  signer_ = ThreeUsers::bob();
  put("/bobs", "");
  put("/bobs/k", "mine");
  const std::string list = "<Delete><Object><Key>k</Key></Object></Delete>";
  const std::tuple<const char*, const char*, std::string> tries[] = {
      {"GET", "/alices", ""},
      {"GET", "/alices?list-type=2", ""},
      {"GET", "/alices?location", ""},
      {"GET", "/alices?acl", ""},
      {"GET", "/alices?uploads", ""},
      {"HEAD", "/alices", ""},
      {"DELETE", "/alices", ""},
      {"POST", "/alices?delete", list},
      {"GET", "/alices/k", ""},
      {"HEAD", "/alices/k", ""},
      {"PUT", "/alices/k", "overwritten"},
      {"DELETE", "/alices/k", ""},
      {"GET", "/alices/missing", ""},
      {"POST", "/alices/k?uploads", ""},
      {"PUT", "/alices/k?partNumber=1&uploadId=x", "part"},
      {"POST", "/alices/k?uploadId=x", ""},
      {"GET", "/alices/k?tagging", ""},
      {"GET", "/alices/k?acl", ""},
      // No spelling of the path leads from the own bucket into the other.
      {"GET", "/alices%2Fk", ""},
      {"GET", "/alices//k", ""},
  };
  for (const auto& [method, target, body] : tries) {
    EXPECT_EQ(verdict(method, target, body), "403 AccessDenied") << method << target;
  }
  EXPECT_EQ(verdict("GET", "/bobs/../alices/k"), "404 NoSuchKey");
  EXPECT_EQ(verdict("GET", "/bobs/..%2falices%2fk"), "404 NoSuchKey");
  EXPECT_EQ(verdict("PUT", "/bobs/copy", "", {{"x-amz-copy-source", "/alices/k"}}),
            "403 AccessDenied");
  EXPECT_EQ(verdict("PUT", "/bobs/copy", "", {{"x-amz-copy-source", "bobs/../alices/k"}}),
            "404 NoSuchKey");
  EXPECT_EQ(verdict("PUT", "/alices/copy", "", {{"x-amz-copy-source", "bobs/k"}}),
            "403 AccessDenied");
  EXPECT_EQ(call("GET", "/").elements("Name"), (std::vector<std::string>{"bobs"}));
  signer_ = ThreeUsers::alice();
  EXPECT_EQ(call("GET", "/alices/k").body, "secret");
  signer_ = ThreeUsers::root();
  EXPECT_EQ(call("GET", "/alices/k").body, "secret");
  EXPECT_EQ(call("GET", "/").elements("Name").size(), 2u);
}

TEST_F(S3Buckets, ANewOwnerIsKnownAtOnce) {
  signer_ = ThreeUsers::alice();
  put("/shared", "");
  EXPECT_EQ(verdict("HEAD", "/shared"), "200");
  EXPECT_EQ(verdict("DELETE", "/shared"), "204");
  signer_ = ThreeUsers::bob();
  put("/shared", "");
  EXPECT_EQ(verdict("HEAD", "/shared"), "200");
  signer_ = ThreeUsers::alice();
  EXPECT_EQ(verdict("HEAD", "/shared"), "403 AccessDenied");
}

// Default deny: whoever is nobody learns nothing, not even whether something exists.
TEST_F(S3Buckets, NobodyMayDoAnything) {
  put("/bucket", "");
  put("/bucket/k", "secret");
  for (const char* line :
       {"GET /", "GET /bucket", "PUT /other", "DELETE /bucket", "GET /bucket/k", "HEAD /bucket/k",
        "PUT /bucket/k", "DELETE /bucket/k", "POST /bucket?delete", "OPTIONS /bucket/k",
        "POST /bucket", "GET /missing/k", "PATCH /bucket/k", "GET /bucket?policy"}) {
    const S3Answer answer = send(fmt::format("{} HTTP/1.1\r\nhost: h\r\n\r\n", line), "body");
    EXPECT_EQ(answer.verdict(), "403 AccessDenied") << line;
    EXPECT_TRUE(answer.body_untouched) << line;
  }
  signer_.secret_key = "guess";
  EXPECT_EQ(verdict("GET", "/bucket/k"), "403 SignatureDoesNotMatch");
  signer_.access_key = "NOBODY";
  EXPECT_EQ(verdict("GET", "/bucket/k"), "403 InvalidAccessKeyId");
  signer_ = ThreeUsers::root();
  const auto old = signer_.sign("GET", "/bucket/k", {}, s3::kEmptySha256, now() - 3600);
  EXPECT_EQ(send(old.text, "").verdict(), "403 RequestTimeTooSkewed");
}

TEST_F(S3Buckets, PresignedUrlsWorkUntilTheyExpire) {
  put("/bucket", "");
  const Fields host = {{"host", signer_.host}};
  const std::string upload = signer_.presign("PUT", "/bucket/k", now(), 60);
  Fields put_fields = host;
  put_fields.emplace_back("content-length", "4");
  EXPECT_EQ(send(S3Signer::text_of("PUT", upload, put_fields), "data").verdict(), "200");
  const std::string download =
      signer_.presign("GET", "/bucket/k?response-content-type=text%2Fx", now(), 60);
  const S3Answer got = send(S3Signer::text_of("GET", download, host), "");
  EXPECT_EQ(got.body, "data");
  EXPECT_EQ(got.field("content-type"), "text/x");
  time_.run_until(time_.now() + std::chrono::seconds(61));
  EXPECT_EQ(send(S3Signer::text_of("GET", download, host), "").verdict(), "403 AccessDenied");
}

TEST_F(S3Buckets, WhatIsNotThereIsRefusedByItsName) {
  put("/bucket", "");
  put("/bucket/k", "x");
  const std::tuple<const char*, const char*, const char*> refused[] = {
      {"GET", "/bucket?policy", "GetBucketPolicy"},
      {"DELETE", "/bucket?lifecycle", "DeleteBucketLifecycle"},
      {"GET", "/bucket?lifecycle", "GetBucketLifecycleConfiguration"},
      {"PUT", "/bucket?publicAccessBlock", "PutPublicAccessBlock"},
      {"PUT", "/bucket?versioning", "PutBucketVersioning"},
      {"GET", "/bucket?versions", "ListObjectVersions"},
      {"POST", "/bucket", "PostObject"},
      {"PUT", "/bucket/k?tagging", "PutObjectTagging"},
      {"GET", "/bucket/k?attributes", "GetObjectAttributes"},
      {"POST", "/bucket/k?select&select-type=2", "SelectObjectContent"},
      {"PUT", "/bucket/k?renameObject", "RenameObject"},
      {"GET", "/bucket?analytics&id=x", "GetBucketAnalyticsConfiguration"},
      {"GET", "/bucket?analytics", "ListBucketAnalyticsConfigurations"},
  };
  for (const auto& [method, target, name] : refused) {
    const S3Answer answer = call(method, target);
    EXPECT_EQ(answer.verdict(), "501 NotImplemented") << target;
    EXPECT_NE(answer.element("Message").find(fmt::format("{} is", name)), std::string::npos)
        << answer.body;
  }
  for (const auto& [method, target] : {std::pair("PATCH", "/bucket"),
                                       {"POST", "/"},
                                       {"PUT", "/"},
                                       {"DELETE", "/"},
                                       {"POST", "/bucket/k"},
                                       {"GET", "//k"}}) {
    EXPECT_EQ(verdict(method, target), "405 MethodNotAllowed") << method << target;
  }
}

// `DELETE /bucket?logging` is no operation of S3; it must not be taken for DeleteBucket.
TEST_F(S3Buckets, AnUnknownUseOfASubresourceIsNotThePlainOperation) {
  put("/bucket", "");
  for (const auto& [method, target] : {std::pair("DELETE", "/bucket?logging"),
                                       {"DELETE", "/bucket?versioning"},
                                       {"DELETE", "/bucket?acl"},
                                       {"PUT", "/other?uploads"},
                                       {"GET", "/bucket?delete"},
                                       {"PUT", "/bucket/k?uploads"},
                                       {"GET", "/bucket/k?uploads"},
                                       {"DELETE", "/bucket/k?acl"},
                                       {"HEAD", "/bucket?policy"}}) {
    EXPECT_EQ(verdict(method, target), "405 MethodNotAllowed") << method << target;
  }
  EXPECT_EQ(verdict("HEAD", "/bucket"), "200");
  EXPECT_EQ(verdict("HEAD", "/other"), "404 NoSuchBucket");
}

TEST_F(S3Buckets, BadTargetsAndHeadsGetAnswers) {
  EXPECT_EQ(send("GET /b/%zz HTTP/1.1\r\nhost: h\r\n\r\n", "").verdict(), "400 InvalidURI");
  EXPECT_EQ(send("GET http://x/b HTTP/1.1\r\nhost: h\r\n\r\n", "").verdict(), "400 InvalidURI");
  const auto answered = [&](Errc code) {
    const auto [head, body] = service_->answer_bad_head(Error{code, "why"});
    return fmt::format(
        "{} {}", head.status,
        body.substr(body.find("<Code>") + 6, body.find("</Code>") - body.find("<Code>") - 6));
  };
  EXPECT_EQ(answered(Errc::invalid), "400 InvalidRequest");
  EXPECT_EQ(answered(Errc::too_large), "400 RequestHeaderSectionTooLarge");
  EXPECT_EQ(answered(Errc::timeout), "400 RequestTimeout");
  EXPECT_EQ(answered(Errc::busy), "503 SlowDown");
  EXPECT_EQ(answered(Errc::unsupported), "505 InvalidRequest");
}

TEST_F(S3Buckets, ErrorsAreXmlThatNothingBreaksOutOf) {
  put("/bucket", "");
  const S3Answer answer = call("GET", "/bucket/%3C%2FResource%3E%0A%26");
  EXPECT_EQ(answer.verdict(), "404 NoSuchKey");
  EXPECT_EQ(answer.element("Resource"), "/bucket/&lt;/Resource&gt;&#xa;&amp;");
  EXPECT_EQ(answer.element("RequestId"), answer.field("x-amz-request-id"));
  EXPECT_EQ(answer.field("content-type"), "application/xml");
  EXPECT_TRUE(answer.body.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>"));
}

TEST_F(S3Buckets, TwoAnswersNeverShareARequestId) {
  const std::string first = call("GET", "/").field("x-amz-request-id");
  EXPECT_NE(first, call("GET", "/").field("x-amz-request-id"));
}

}  // namespace
}  // namespace turbine::test
