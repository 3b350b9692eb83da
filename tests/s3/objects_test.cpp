// Objects: put, get, head, delete, copy; what a client promised of a body; keys of all sorts.
#include "support/s3_service_fixture.hpp"

namespace turbine::test {
namespace {

class S3Objects : public S3ServiceFixture {
 protected:
  void SetUp() override { put("/bucket", ""); }

  /// Sends `body`, already coded, with a payload hash of the caller's choice.
  S3Answer stream(std::string_view kind, uint64_t decoded, const std::string& body,
                  Fields fields = {}) {
    fields.emplace_back("content-length", std::to_string(body.size()));
    fields.emplace_back("x-amz-decoded-content-length", std::to_string(decoded));
    return send(signer_.sign("PUT", "/bucket/k", fields, kind, now()).text, body);
  }
  /// A body of signed chunks for "/bucket/k"; the trailer is signed too when there is one.
  S3Answer stream_signed(const std::vector<std::string>& chunks, std::string_view trailer = {},
                         Fields fields = {}) {
    const std::string kind = trailer.empty() ? "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
                                             : "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    uint64_t decoded = 0;
    for (const auto& chunk : chunks) decoded += chunk.size();
    fields.emplace_back("x-amz-decoded-content-length", std::to_string(decoded));
    const auto head = signer_.sign("PUT", "/bucket/k", fields, kind, now());
    std::string previous = head.signature, body;
    for (const auto& chunk : chunks) body += signer_.chunk(head.timestamp, chunk, previous);
    body += signer_.chunk(head.timestamp, "", previous);
    body += trailer.empty() ? "\r\n" : signer_.trailer(head.timestamp, trailer, previous);
    std::string text = head.text;
    text.insert(text.size() - 2, fmt::format("content-length: {}\r\n", body.size()));
    return send(text, body);
  }
  std::string get(std::string_view target) { return call("GET", target).body; }
};

TEST_F(S3Objects, KeepBytesAndFields) {
  const S3Answer made = call("PUT", "/bucket/k", "hello",
                             {{"content-type", "text/plain"},
                              {"x-amz-meta-color", "blue"},
                              {"cache-control", "no-cache"}});
  EXPECT_EQ(made.verdict(), "200");
  EXPECT_EQ(made.field("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  for (const char* method : {"GET", "HEAD"}) {
    const S3Answer got = call(method, "/bucket/k");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, method == std::string_view("GET") ? "hello" : "");
    EXPECT_EQ(got.field("content-length"), "5");
    EXPECT_EQ(got.field("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
    EXPECT_EQ(got.field("content-type"), "text/plain");
    EXPECT_EQ(got.field("x-amz-meta-color"), "blue");
    EXPECT_EQ(got.field("cache-control"), "no-cache");
    EXPECT_EQ(got.field("accept-ranges"), "bytes");
    EXPECT_EQ(got.field("last-modified"), s3::format_http_date(now()));
  }
  put("/bucket/k", "other");
  EXPECT_EQ(call("GET", "/bucket/k").field("x-amz-meta-color"), "");
  EXPECT_EQ(get("/bucket/k"), "other");
}

TEST_F(S3Objects, OfNoAndOfManyBytes) {
  put("/bucket/empty", "");
  EXPECT_EQ(call("GET", "/bucket/empty").field("content-length"), "0");
  EXPECT_EQ(call("GET", "/bucket/empty").field("etag"), "\"d41d8cd98f00b204e9800998ecf8427e\"");
  piece_bytes_ = 300'000;
  std::string large(5'000'000, '\0');
  for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 + i / 4096);
  put("/bucket/large", large);
  EXPECT_EQ(get("/bucket/large"), large);
  EXPECT_EQ(call("GET", "/bucket/large", "", {{"range", "bytes=1048570-3145740"}}).body,
            large.substr(1'048'570, 2'097'171));
}

TEST_F(S3Objects, MissingOnesHaveTheirNames) {
  EXPECT_EQ(verdict("GET", "/bucket/k"), "404 NoSuchKey");
  EXPECT_EQ(verdict("HEAD", "/bucket/k"), "404 NoSuchKey");
  EXPECT_EQ(verdict("GET", "/bucket/k?tagging"), "404 NoSuchKey");
  EXPECT_EQ(verdict("GET", "/bucket/k?acl"), "404 NoSuchKey");
  EXPECT_EQ(verdict("GET", "/missing/k"), "404 NoSuchBucket");
  EXPECT_EQ(verdict("PUT", "/missing/k", "x"), "404 NoSuchBucket");
  EXPECT_EQ(verdict("DELETE", "/missing/k"), "404 NoSuchBucket");
  EXPECT_EQ(verdict("POST", "/missing/k?uploads"), "404 NoSuchBucket");
  EXPECT_EQ(verdict("DELETE", "/bucket/k"), "204");  // gone is gone
}

TEST_F(S3Objects, AnswerRanges) {
  put("/bucket/k", "0123456789");
  const auto ranged = [&](std::string value) {
    return call("GET", "/bucket/k", "", {{"range", std::move(value)}});
  };
  const S3Answer part = ranged("bytes=2-4");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.field("content-range"), "bytes 2-4/10");
  EXPECT_EQ(part.field("content-length"), "3");
  EXPECT_EQ(ranged("bytes=-3").body, "789");
  EXPECT_EQ(ranged("bytes=7-").body, "789");
  EXPECT_EQ(ranged("bytes=1-2,4-5").status, 200);
  const S3Answer beyond = ranged("bytes=10-");
  EXPECT_EQ(beyond.verdict(), "416 InvalidRange");
  EXPECT_EQ(beyond.field("content-range"), "bytes */10");
  EXPECT_EQ(beyond.element("ActualObjectSize"), "10");
  EXPECT_EQ(call("HEAD", "/bucket/k", "", {{"range", "bytes=2-4"}}).field("content-length"), "3");
}

// A client that goes on with a broken download must not get the end of another object.
TEST_F(S3Objects, IfRangeGivesAllOfAChangedObject) {
  put("/bucket/k", "0123456789");
  const S3Answer whole = call("GET", "/bucket/k");
  const auto resumed = [&](std::string validator) {
    return call("GET", "/bucket/k", "",
                {{"range", "bytes=2-4"}, {"if-range", std::move(validator)}})
        .status;
  };
  EXPECT_EQ(resumed(whole.field("etag")), 206);
  EXPECT_EQ(resumed(whole.field("last-modified")), 206);
  EXPECT_EQ(resumed("\"other\""), 200);
  EXPECT_EQ(resumed("W/" + whole.field("etag")), 200);
  EXPECT_EQ(resumed("Sun, 06 Nov 1994 08:49:37 GMT"), 200);
}

TEST_F(S3Objects, AnswerConditions) {
  put("/bucket/k", "hello");
  const std::string etag = "\"5d41402abc4b2a76b9719d911017c592\"";
  const auto asked = [&](const char* method, std::string name, std::string value) {
    return verdict(method, "/bucket/k", "", {{std::move(name), std::move(value)}});
  };
  const std::string then = s3::format_http_date(now()), before = s3::format_http_date(now() - 1);
  for (const char* method : {"GET", "HEAD"}) {
    EXPECT_EQ(asked(method, "if-match", etag), "200");
    EXPECT_EQ(asked(method, "if-match", "\"other\""), "412 PreconditionFailed");
    EXPECT_EQ(asked(method, "if-none-match", etag), "304");
    EXPECT_EQ(asked(method, "if-none-match", "\"other\""), "200");
    EXPECT_EQ(asked(method, "if-modified-since", then), "304");
    EXPECT_EQ(asked(method, "if-modified-since", before), "200");
    EXPECT_EQ(asked(method, "if-unmodified-since", then), "200");
    EXPECT_EQ(asked(method, "if-unmodified-since", before), "412 PreconditionFailed");
  }
  const S3Answer same = call("GET", "/bucket/k", "", {{"if-none-match", etag}});
  EXPECT_EQ(same.body, "");
  EXPECT_EQ(same.field("etag"), etag);
}

TEST_F(S3Objects, AreWrittenAndRemovedUnderConditions) {
  const auto put_if = [&](std::string name, std::string value, std::string body = "new") {
    return verdict("PUT", "/bucket/k", std::move(body), {{std::move(name), std::move(value)}});
  };
  EXPECT_EQ(put_if("if-none-match", "*", "hello"), "200");
  EXPECT_EQ(put_if("if-none-match", "*"), "412 PreconditionFailed");
  EXPECT_EQ(put_if("if-match", "\"other\""), "412 PreconditionFailed");
  EXPECT_EQ(put_if("if-none-match", "\"tag\""), "501 NotImplemented");
  EXPECT_EQ(get("/bucket/k"), "hello");
  EXPECT_EQ(put_if("if-match", "\"5d41402abc4b2a76b9719d911017c592\""), "200");
  EXPECT_EQ(get("/bucket/k"), "new");
  EXPECT_EQ(verdict("DELETE", "/bucket/k", "", {{"if-match", "\"other\""}}),
            "412 PreconditionFailed");
  EXPECT_EQ(get("/bucket/k"), "new");
  EXPECT_EQ(
      verdict("DELETE", "/bucket/k", "", {{"if-match", call("GET", "/bucket/k").field("etag")}}),
      "204");
}

TEST_F(S3Objects, AreNotStoredWhenTheBodyIsNotThePromisedOne) {
  const std::string body = "hello";
  const auto refused = [&](Fields fields, std::string_view code) {
    EXPECT_EQ(verdict("PUT", "/bucket/k", body, fields), code) << fields.at(0).second;
    EXPECT_EQ(verdict("HEAD", "/bucket/k"), "404 NoSuchKey") << fields.at(0).second;
  };
  refused({{"content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="}}, "400 BadDigest");
  refused({{"content-md5", "rubbish"}}, "400 InvalidDigest");
  refused({{"content-md5", "AAAA"}}, "400 InvalidDigest");
  refused({{"x-amz-checksum-crc32", "AAAAAA=="}}, "400 BadDigest");
  refused({{"x-amz-checksum-crc32", "AAAA"}}, "400 InvalidRequest");
  refused({{"x-amz-checksum-crc32", ""}}, "400 InvalidRequest");
  refused({{"x-amz-checksum-crc9", "AAAAAA=="}}, "400 InvalidRequest");
  refused({{"x-amz-checksum-crc32", "NhCmhg=="}, {"x-amz-checksum-sha1", "x"}},
          "400 InvalidRequest");
  refused({{"x-amz-checksum-crc32", "NhCmhg=="}, {"x-amz-checksum-crc32c", "mnG7TA=="}},
          "400 InvalidRequest");
  const auto lying = signer_.sign("PUT", "/bucket/k", {{"content-length", "5"}},
                                  s3::to_hex(s3::sha256("other")), now());
  EXPECT_EQ(send(lying.text, body).verdict(), "400 XAmzContentSHA256Mismatch");
  EXPECT_EQ(verdict("HEAD", "/bucket/k"), "404 NoSuchKey");
  const auto open =
      signer_.sign("PUT", "/bucket/k", {{"content-length", "10"}}, s3::kUnsignedPayload, now());
  EXPECT_EQ(send(open.text, body, true).verdict(), "400 IncompleteBody");
  EXPECT_EQ(verdict("HEAD", "/bucket/k"), "404 NoSuchKey");
}

TEST_F(S3Objects, KeepAndGiveBackChecksums) {
  const std::pair<const char*, const char*> checksums[] = {
      {"x-amz-checksum-crc32", "NhCmhg=="},
      {"x-amz-checksum-crc32c", "mnG7TA=="},
      {"x-amz-checksum-crc64nvme", "M3eFcAZSQlc="},
      {"x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="},
      {"x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="}};
  for (const auto& [name, value] : checksums) {
    const S3Answer made = put("/bucket/k", "hello", {{name, value}});
    EXPECT_EQ(made.field(name), value);
    EXPECT_EQ(call("HEAD", "/bucket/k").field(name), "");
    const S3Answer asked = call("GET", "/bucket/k", "", {{"x-amz-checksum-mode", "ENABLED"}});
    EXPECT_EQ(asked.field(name), value);
    EXPECT_EQ(asked.field("x-amz-checksum-type"), "FULL_OBJECT");
    const S3Answer part =
        call("GET", "/bucket/k", "", {{"x-amz-checksum-mode", "ENABLED"}, {"range", "bytes=0-1"}});
    EXPECT_EQ(part.field(name), "") << "of the whole, not of the range";
  }
  put("/bucket/k", "hello", {{"content-md5", "XUFAKrxLKna5cZ2REBfFkg=="}});
}

TEST_F(S3Objects, ComeInSignedChunks) {
  EXPECT_EQ(stream_signed({std::string(10'000, 'x'), "hello"}).verdict(), "200");
  EXPECT_EQ(get("/bucket/k"), std::string(10'000, 'x') + "hello");
  EXPECT_EQ(stream_signed({}).verdict(), "200");
  EXPECT_EQ(get("/bucket/k"), "");
  const S3Answer made = stream_signed(
      {"hello"}, "x-amz-checksum-crc32:NhCmhg==\n",
      {{"x-amz-trailer", "x-amz-checksum-crc32"}, {"content-encoding", "aws-chunked,gzip"}});
  EXPECT_EQ(made.verdict(), "200");
  EXPECT_EQ(made.field("x-amz-checksum-crc32"), "NhCmhg==");
  EXPECT_EQ(call("GET", "/bucket/k").field("content-encoding"), "gzip");
  EXPECT_EQ(get("/bucket/k"), "hello");
  // A right signature over a wrong checksum.
  EXPECT_EQ(stream_signed({"other"}, "x-amz-checksum-crc32:NhCmhg==\n",
                          {{"x-amz-trailer", "x-amz-checksum-crc32"}})
                .verdict(),
            "400 BadDigest");
  EXPECT_EQ(get("/bucket/k"), "hello");
}

TEST_F(S3Objects, ComeInUnsignedChunksWithATrailer) {
  constexpr std::string_view kKind = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
  const Fields announced = {{"x-amz-trailer", "x-amz-checksum-crc32"}};
  const auto body = [](std::string_view value) {
    return fmt::format("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:{}\r\n\r\n", value);
  };
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{1000}}) {
    piece_bytes_ = piece;
    EXPECT_EQ(stream(kKind, 5, body("NhCmhg=="), announced).verdict(), "200") << piece;
    EXPECT_EQ(get("/bucket/k"), "hello");
  }
  EXPECT_EQ(verdict("DELETE", "/bucket/k"), "204");
  EXPECT_EQ(stream(kKind, 5, body("AAAAAA=="), announced).verdict(), "400 BadDigest");
  EXPECT_EQ(stream(kKind, 5, body("rubbish"), announced).verdict(), "400 BadDigest");
  // A promised checksum that is never given was once taken for a right one.
  EXPECT_EQ(stream(kKind, 5, body(""), announced).verdict(), "400 BadDigest");
  EXPECT_EQ(stream(kKind, 5, body("NhCmhg==")).verdict(), "400 MalformedTrailerError");
  EXPECT_EQ(stream(kKind, 5, body("NhCmhg=="), {{"x-amz-trailer", "x-amz-other"}}).verdict(),
            "400 InvalidRequest");
  EXPECT_EQ(stream(kKind, 6, body("NhCmhg=="), announced).verdict(), "400 IncompleteBody");
  EXPECT_EQ(stream(kKind, 4, body("NhCmhg=="), announced).verdict(), "400 IncompleteBody");
  EXPECT_EQ(stream(kKind, 5, "5\r\nhel", announced).verdict(), "400 IncompleteBody");
  EXPECT_EQ(stream(kKind, 5, "hello", announced).verdict(), "400 IncompleteBody");
  EXPECT_EQ(verdict("HEAD", "/bucket/k"), "404 NoSuchKey");
  const auto lengthless = signer_.sign("PUT", "/bucket/k", announced, kKind, now());
  EXPECT_EQ(send(lengthless.text, "").verdict(), "411 MissingContentLength");
}

TEST_F(S3Objects, NeedALengthAndHaveAGreatest) {
  const auto sized = [&](const char* target, Fields fields) {
    return send(signer_.sign("PUT", target, fields, s3::kUnsignedPayload, now()).text, "");
  };
  EXPECT_EQ(sized("/bucket/k", {}).verdict(), "411 MissingContentLength");
  EXPECT_EQ(sized("/bucket/k?partNumber=1&uploadId=x", {}).verdict(), "411 MissingContentLength");
  const S3Answer large = sized("/bucket/k", {{"content-length", "5368709121"}});
  EXPECT_EQ(large.verdict(), "400 EntityTooLarge");
  EXPECT_TRUE(large.body_untouched);
}

TEST_F(S3Objects, ABodyIsNotTouchedWhenTheHeadIsRefused) {
  EXPECT_TRUE(call("PUT", "/missing/k", "data").body_untouched);
  EXPECT_TRUE(call("PUT", "/bucket/k", "data", {{"x-amz-acl", "public-read"}}).body_untouched);
  EXPECT_TRUE(call("PUT", "/bucket/k?tagging", "data").body_untouched);
  signer_ = ThreeUsers::bob();
  EXPECT_TRUE(call("PUT", "/bucket/k", "data").body_untouched);
}

TEST_F(S3Objects, KeysOfAllSortsAreTheirOwnObjects) {
  const std::string keys[] = {"a",
                              "a/",
                              "a/b",
                              "a//b",
                              "a/./b",
                              "a/../b",
                              "/",
                              "//",
                              "/a",
                              "//a",
                              ".",
                              "..",
                              "./",
                              "../",
                              "../../etc/passwd",
                              "a\\b",
                              "%2e%2e",
                              "a%2Fb",
                              "+",
                              " ",
                              "a b",
                              "\t",
                              "\n",
                              "&<>\"'",
                              "?x=y",
                              "#",
                              "\xc3\xbc",
                              "u\xcc\x88",
                              "\xf0\x9f\x98\x80",
                              "\xef\xbf\xbf",
                              "\x7f",
                              "\x01",
                              std::string("nul\0nul", 7),
                              std::string("nul\0", 4),
                              "nul",
                              std::string(1000, 'x'),
                              std::string(1000, 'x') + "/" + std::string(23, 'y'),
                              std::string(1024, 'z')};
  for (const std::string& key : keys) {
    put("/bucket/" + s3::percent_encoded(key, true), "of " + key);
  }
  for (const std::string& key : keys) {
    const std::string target = "/bucket/" + s3::percent_encoded(key, true);
    EXPECT_EQ(get(target), "of " + key) << target;
    EXPECT_EQ(verdict("DELETE", target), "204") << target;
    EXPECT_EQ(verdict("GET", target), "404 NoSuchKey") << target;
  }
  EXPECT_EQ(verdict("PUT", "/bucket/" + std::string(1025, 'z'), "x"), "400 KeyTooLongError");
  EXPECT_EQ(verdict("GET", "/bucket/" + std::string(1025, 'z')), "400 KeyTooLongError");
}

TEST_F(S3Objects, AreCopied) {
  put("/other", "");
  put("/bucket/k\xc3\xbc", "hello",
      {{"content-type", "text/plain"},
       {"x-amz-meta-a", "1"},
       {"x-amz-checksum-crc32", "NhCmhg=="}});
  const S3Answer copied =
      call("PUT", "/other/copy", "", {{"x-amz-copy-source", "/bucket/k%C3%BC"}});
  EXPECT_EQ(copied.verdict(), "200");
  EXPECT_EQ(copied.element("ETag"), "&quot;5d41402abc4b2a76b9719d911017c592&quot;");
  EXPECT_EQ(copied.element("ChecksumCRC32"), "NhCmhg==");
  S3Answer got = call("GET", "/other/copy");
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.field("x-amz-meta-a"), "1");
  EXPECT_EQ(got.field("content-type"), "text/plain");
  EXPECT_EQ(verdict("PUT", "/other/replaced", "",
                    {{"x-amz-copy-source", "bucket/k%C3%BC"},
                     {"x-amz-metadata-directive", "REPLACE"},
                     {"x-amz-meta-b", "2"}}),
            "200");
  got = call("GET", "/other/replaced", "", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.field("x-amz-meta-a"), "");
  EXPECT_EQ(got.field("x-amz-meta-b"), "2");
  EXPECT_EQ(got.field("content-type"), "binary/octet-stream");
  EXPECT_EQ(got.field("x-amz-checksum-crc32"), "NhCmhg==");
}

TEST_F(S3Objects, CopiesAreRefusedWithReasons) {
  put("/bucket/k", "hello");
  const auto copy = [&](std::string source, Fields fields = {}) {
    fields.emplace_back("x-amz-copy-source", std::move(source));
    return verdict("PUT", "/bucket/copy", "", fields);
  };
  for (const char* source : {"", "/", "bucket", "/bucket", "/bucket/", "//k", "bucket/%zz",
                             "bucket/%FF", "../bucket/k"}) {
    EXPECT_EQ(copy(source), "400 InvalidArgument") << source;
  }
  EXPECT_EQ(copy("missing/k"), "404 NoSuchBucket");
  EXPECT_EQ(copy("bucket/missing"), "404 NoSuchKey");
  EXPECT_EQ(copy("bucket/k?versionId=7"), "501 NotImplemented");
  EXPECT_EQ(copy("bucket/k?versionId=null"), "200");
  EXPECT_EQ(copy("bucket/" + std::string(1025, 'x')), "400 KeyTooLongError");
  EXPECT_EQ(copy("bucket/k", {{"x-amz-metadata-directive", "MERGE"}}), "400 InvalidArgument");
  EXPECT_EQ(copy("bucket/k", {{"x-amz-copy-source-if-match", "\"x\""}}), "412 PreconditionFailed");
  EXPECT_EQ(copy("bucket/k",
                 {{"x-amz-copy-source-if-none-match", "\"5d41402abc4b2a76b9719d911017c592\""}}),
            "412 PreconditionFailed");
  EXPECT_EQ(copy("bucket/k", {{"if-none-match", "*"}}), "412 PreconditionFailed");
  EXPECT_EQ(verdict("PUT", "/bucket/k", "", {{"x-amz-copy-source", "bucket/k"}}),
            "400 InvalidRequest");
  EXPECT_EQ(verdict("PUT", "/bucket/k", "",
                    {{"x-amz-copy-source", "bucket/k"},
                     {"x-amz-metadata-directive", "REPLACE"},
                     {"x-amz-meta-new", "1"}}),
            "200");
  EXPECT_EQ(call("GET", "/bucket/k").field("x-amz-meta-new"), "1");
  EXPECT_EQ(get("/bucket/k"), "hello");
}

TEST_F(S3Objects, VersionsAreRefusedNotIgnored) {
  put("/bucket/k", "hello");
  for (const char* method : {"GET", "HEAD", "DELETE"}) {
    EXPECT_EQ(verdict(method, "/bucket/k?versionId=abc"), "501 NotImplemented") << method;
  }
  EXPECT_EQ(get("/bucket/k?versionId=null"), "hello");
  EXPECT_EQ(get("/bucket/k?versionId="), "hello");
}

TEST_F(S3Objects, PartNumbersOfPlainObjects) {
  put("/bucket/k", "hello");
  EXPECT_EQ(get("/bucket/k?partNumber=1"), "hello");
  EXPECT_EQ(verdict("GET", "/bucket/k?partNumber=2"), "416 InvalidRange");
}

TEST_F(S3Objects, AnswersCanBeOverriddenButNotForged) {
  put("/bucket/k", "hello", {{"cache-control", "a"}});
  const S3Answer got =
      call("GET",
           "/bucket/k?response-cache-control=b&response-content-type=x%0D%0ASet-Cookie%3A%20y&"
           "response-content-disposition=attachment");
  EXPECT_EQ(got.field("cache-control"), "b");
  EXPECT_EQ(got.field("content-disposition"), "attachment");
  EXPECT_EQ(got.field("set-cookie"), "");
}

TEST_F(S3Objects, AreDeletedInLists) {
  for (const char* target : {"/bucket/a", "/bucket/a/", "/bucket/a/b", "/bucket/c"}) {
    put(target, "x");
  }
  const S3Answer gone = call("POST", "/bucket?delete",
                             "<Delete><Object><Key>a</Key></Object><Object><Key>missing</Key>"
                             "</Object><Object><Key>a/b</Key><ETag>\"wrong\"</ETag></Object>"
                             "<Object><Key>../bucket/c</Key></Object>"
                             "<Object><Key>c</Key><VersionId>7</VersionId></Object></Delete>");
  EXPECT_EQ(gone.verdict(), "200");
  EXPECT_EQ(gone.elements("Key"),
            (std::vector<std::string>{"a", "missing", "a/b", "../bucket/c", "c"}));
  EXPECT_EQ(gone.elements("Code"),
            (std::vector<std::string>{"PreconditionFailed", "NotImplemented"}));
  EXPECT_EQ(call("GET", "/bucket?list-type=2").elements("Key"),
            (std::vector<std::string>{"a/", "a/b", "c"}));
  const S3Answer quiet = call("POST", "/bucket?delete",
                              "<Delete><Quiet>true</Quiet><Object><Key>a/</Key></Object></Delete>");
  EXPECT_EQ(quiet.elements("Key"), std::vector<std::string>{});
  EXPECT_EQ(verdict("POST", "/bucket?delete", "<Delete></Delete>"), "400 MalformedXML");
  EXPECT_EQ(verdict("POST", "/bucket?delete", ""), "400 MalformedXML");
  EXPECT_EQ(verdict("POST", "/bucket?delete", std::string(5 << 20, ' ')),
            "400 MaxMessageLengthExceeded");
  EXPECT_EQ(verdict("POST", "/missing?delete", "<Delete><Object><Key>a</Key></Object></Delete>"),
            "404 NoSuchBucket");
}

TEST_F(S3Objects, HaveNoTagsAndAPrivateAcl) {
  put("/bucket/k", "x");
  EXPECT_NE(call("GET", "/bucket/k?tagging").body.find("<TagSet></TagSet>"), std::string::npos);
  EXPECT_EQ(call("GET", "/bucket/k?acl").element("Permission"), "FULL_CONTROL");
  EXPECT_EQ(verdict("PUT", "/bucket/k?acl", "", {{"x-amz-acl", "private"}}), "200");
  EXPECT_EQ(verdict("PUT", "/bucket/missing?acl", "", {{"x-amz-acl", "private"}}), "404 NoSuchKey");
}

}  // namespace
}  // namespace turbine::test
