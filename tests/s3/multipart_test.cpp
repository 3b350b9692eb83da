// Multipart uploads: create, parts, copies into parts, complete, abort, lists.
#include "support/s3_service_fixture.hpp"

namespace turbine::test {
namespace {

using Names = std::vector<std::string>;
constexpr size_t kMiB = size_t{1024} * 1024;

class S3Multipart : public S3ServiceFixture {
 protected:
  void SetUp() override {
    put("/bucket", "");
    piece_bytes_ = kMiB;
  }
  std::string create(const std::string& target, Fields fields = {}) {
    const S3Answer answer = call("POST", target + "?uploads", "", std::move(fields));
    EXPECT_EQ(answer.verdict(), "200");
    return answer.element("UploadId");
  }
  /// The part's ETag with quotes.
  std::string part(const std::string& target, const std::string& id, int number, std::string body,
                   Fields fields = {}) {
    const S3Answer answer =
        call("PUT", fmt::format("{}?partNumber={}&uploadId={}", target, number, id),
             std::move(body), std::move(fields));
    EXPECT_EQ(answer.verdict(), "200") << answer.body;
    return answer.field("etag");
  }
  static std::string list_of(const std::vector<std::pair<int, std::string>>& parts,
                             std::string_view extra = {}) {
    std::string xml = "<CompleteMultipartUpload>";
    for (const auto& [number, etag] : parts) {
      xml += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>{}</Part>", number, etag,
                         extra);
    }
    return xml + "</CompleteMultipartUpload>";
  }
  S3Answer complete(const std::string& target, const std::string& id, const std::string& xml,
                    Fields fields = {}) {
    return call("POST", fmt::format("{}?uploadId={}", target, id), xml, std::move(fields));
  }
};

TEST_F(S3Multipart, PartsBecomeOneObject) {
  const std::string id = create("/bucket/k", {{"content-type", "text/x"}, {"x-amz-meta-a", "1"}});
  const std::string a(5 * kMiB, 'a'), c = "end";
  const std::string etag_c = part("/bucket/k", id, 7, c);
  const std::string etag_a = part("/bucket/k", id, 2, "overwritten");
  EXPECT_NE(part("/bucket/k", id, 2, a), etag_a);
  const std::string etag_a2 = part("/bucket/k", id, 2, a);
  EXPECT_EQ(verdict("HEAD", "/bucket/k"), "404 NoSuchKey");
  const S3Answer made = complete("/bucket/k", id, list_of({{2, etag_a2}, {7, etag_c}}));
  EXPECT_EQ(made.verdict(), "200");
  // md5(md5(a) md5(c)), as AWS makes it
  std::string both = *s3::from_hex(etag_a2.substr(1, 32)) + *s3::from_hex(etag_c.substr(1, 32));
  const std::string etag = s3::to_hex(as_bytes(s3::md5(both))) + "-2";
  EXPECT_EQ(made.element("ETag"), "&quot;" + etag + "&quot;");
  EXPECT_EQ(made.element("Key"), "k");
  EXPECT_EQ(made.element("Location"), "http://s3.test/bucket/k");
  const S3Answer got = call("GET", "/bucket/k");
  EXPECT_EQ(got.body, a + c);
  EXPECT_EQ(got.field("etag"), "\"" + etag + "\"");
  EXPECT_EQ(got.field("content-type"), "text/x");
  EXPECT_EQ(got.field("x-amz-meta-a"), "1");
  EXPECT_EQ(verdict("GET", "/bucket/k?partNumber=1"), "501 NotImplemented");
  EXPECT_EQ(complete("/bucket/k", id, list_of({{2, etag_a2}})).verdict(), "404 NoSuchUpload");
}

TEST_F(S3Multipart, CompletionIsRefusedWithReasons) {
  const std::string id = create("/bucket/k");
  const std::string one = part("/bucket/k", id, 1, "small");
  const std::string two = part("/bucket/k", id, 2, "last");
  const std::tuple<std::string, std::string, std::string_view> cases[] = {
      {"too small", list_of({{1, one}, {2, two}}), "400 EntityTooSmall"},
      {"order", list_of({{2, two}, {1, one}}), "400 InvalidPartOrder"},
      {"twice", list_of({{1, one}, {1, one}}), "400 InvalidPartOrder"},
      {"missing", list_of({{3, one}}), "400 InvalidPart"},
      {"etag", list_of({{1, two}}), "400 InvalidPart"},
      {"no etag", list_of({{1, ""}}), "400 InvalidPart"},
      {"empty", list_of({}), "400 MalformedXML"},
      {"no body", "", "400 MalformedXML"},
      {"number", list_of({{10'001, one}}), "400 MalformedXML"},
      {"checksum", list_of({{1, one}}, "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>"),
       "400 InvalidPart"},
  };
  for (const auto& [why, xml, code] : cases) {
    EXPECT_EQ(complete("/bucket/k", id, xml).verdict(), code) << why;
  }
  EXPECT_EQ(
      complete("/bucket/k", id, list_of({{1, one}}), {{"x-amz-mp-object-size", "6"}}).verdict(),
      "400 InvalidRequest");
  put("/bucket/k", "exists");
  EXPECT_EQ(complete("/bucket/k", id, list_of({{1, one}}), {{"if-none-match", "*"}}).verdict(),
            "412 PreconditionFailed");
  EXPECT_EQ(complete("/bucket/other", id, list_of({{1, one}})).verdict(), "404 NoSuchUpload");
  EXPECT_EQ(complete("/bucket/k", "nonsense", list_of({{1, one}})).verdict(), "404 NoSuchUpload");
  EXPECT_EQ(call("GET", "/bucket/k").body, "exists");
  EXPECT_EQ(
      complete("/bucket/k", id, list_of({{1, one}}), {{"x-amz-mp-object-size", "5"}}).verdict(),
      "200");
  EXPECT_EQ(call("GET", "/bucket/k").body, "small");
}

TEST_F(S3Multipart, PartsAreRefusedWithReasons) {
  const std::string id = create("/bucket/k");
  const auto put_part = [&](std::string_view query, Fields fields = {}) {
    return verdict("PUT", fmt::format("/bucket/k?{}", query), "x", std::move(fields));
  };
  for (const char* number : {"0", "10001", "-1", "x", "", "1.5"}) {
    EXPECT_EQ(put_part(fmt::format("partNumber={}&uploadId={}", number, id)), "400 InvalidArgument")
        << number;
  }
  EXPECT_EQ(put_part("uploadId=" + id), "400 InvalidArgument");
  EXPECT_EQ(put_part("partNumber=1&uploadId="), "404 NoSuchUpload");
  EXPECT_EQ(put_part("partNumber=1&uploadId=nonsense"), "404 NoSuchUpload");
  EXPECT_EQ(put_part("partNumber=1&uploadId=" + std::string(300, 'x')), "404 NoSuchUpload");
  EXPECT_EQ(put_part("partNumber=1&uploadId=" + id, {{"content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="}}),
            "400 BadDigest");
  EXPECT_EQ(call("GET", "/bucket/k?uploadId=" + id).elements("PartNumber"), Names{});
  EXPECT_EQ(part("/bucket/k", id, 10'000, "x"), "\"9dd4e461268c8034f5c8564e155c67a6\"");
}

TEST_F(S3Multipart, PartsKeepTheirChecksums) {
  const std::string id = create("/bucket/k", {{"x-amz-checksum-algorithm", "CRC32"}});
  const std::string etag =
      part("/bucket/k", id, 1, "hello", {{"x-amz-checksum-crc32", "NhCmhg=="}});
  EXPECT_EQ(call("GET", "/bucket/k?uploadId=" + id).element("ChecksumCRC32"), "NhCmhg==");
  EXPECT_EQ(
      complete("/bucket/k", id, list_of({{1, etag}}, "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>"))
          .verdict(),
      "400 InvalidPart");
  EXPECT_EQ(
      complete("/bucket/k", id, list_of({{1, etag}}, "<ChecksumCRC32C>mnG7TA==</ChecksumCRC32C>"))
          .verdict(),
      "400 InvalidPart");
  EXPECT_EQ(
      complete("/bucket/k", id, list_of({{1, etag}}, "<ChecksumCRC32>NhCmhg==</ChecksumCRC32>"))
          .verdict(),
      "200");
}

// The checksum field of a completion is that of the object, not that of the XML in its body.
TEST_F(S3Multipart, AChecksumOfTheWholeIsNotThatOfTheList) {
  const std::string id = create("/bucket/k");
  const std::string etag =
      part("/bucket/k", id, 1, "hello", {{"x-amz-checksum-crc32", "NhCmhg=="}});
  for (const char* value : {"NhCmhg==", "NhCmhg==-1"}) {
    EXPECT_EQ(complete("/bucket/k", id, list_of({{1, etag}}), {{"x-amz-checksum-crc32", value}})
                  .verdict(),
              "501 NotImplemented");
  }
}

TEST_F(S3Multipart, TheAlgorithmIsRepeatedAndChecked) {
  const auto created = [&](std::string algorithm, Fields fields = {}) {
    fields.emplace_back("x-amz-checksum-algorithm", std::move(algorithm));
    return call("POST", "/bucket/k?uploads", "", std::move(fields));
  };
  EXPECT_EQ(created("CRC32").field("x-amz-checksum-type"), "COMPOSITE");
  EXPECT_EQ(created("CRC64NVME").field("x-amz-checksum-type"), "FULL_OBJECT");
  EXPECT_EQ(created("CRC32", {{"x-amz-checksum-type", "FULL_OBJECT"}}).field("x-amz-checksum-type"),
            "FULL_OBJECT");
  EXPECT_EQ(created("MD4").verdict(), "400 InvalidRequest");
}

TEST_F(S3Multipart, PartsAreCopiedFromObjects) {
  put("/bucket/source", "0123456789");
  const std::string id = create("/bucket/k");
  const auto copy = [&](Fields fields, int number = 1) {
    fields.emplace_back("x-amz-copy-source", "/bucket/source");
    return call("PUT", fmt::format("/bucket/k?partNumber={}&uploadId={}", number, id), "", fields);
  };
  const S3Answer ranged = copy({{"x-amz-copy-source-range", "bytes=2-4"}});
  EXPECT_EQ(ranged.verdict(), "200");
  EXPECT_EQ(ranged.element("ETag"),
            fmt::format("&quot;{}&quot;", s3::to_hex(as_bytes(s3::md5("234")))));
  EXPECT_EQ(copy({{"x-amz-copy-source-range", "bytes=2-10"}}).verdict(), "400 InvalidArgument");
  EXPECT_EQ(copy({{"x-amz-copy-source-range", "bytes=2-"}}).verdict(), "400 InvalidArgument");
  EXPECT_EQ(copy({{"x-amz-copy-source-if-match", "\"x\""}}).verdict(), "412 PreconditionFailed");
  EXPECT_EQ(copy({}, 0).verdict(), "400 InvalidArgument");
  const std::string etag = copy({}, 2).element("ETag");
  EXPECT_EQ(complete("/bucket/k", id, list_of({{2, etag}})).verdict(), "200");
  EXPECT_EQ(call("GET", "/bucket/k").body, "0123456789");
}

TEST_F(S3Multipart, AnAbortedUploadIsGone) {
  const std::string id = create("/bucket/k");
  part("/bucket/k", id, 1, "x");
  EXPECT_EQ(verdict("DELETE", "/bucket/other?uploadId=" + id), "404 NoSuchUpload");
  EXPECT_EQ(verdict("DELETE", "/bucket/k?uploadId=" + id), "204");
  EXPECT_EQ(verdict("DELETE", "/bucket/k?uploadId=" + id), "404 NoSuchUpload");
  EXPECT_EQ(verdict("GET", "/bucket/k?uploadId=" + id), "404 NoSuchUpload");
  EXPECT_EQ(verdict("PUT", "/bucket/k?partNumber=1&uploadId=" + id, "x"), "404 NoSuchUpload");
  EXPECT_EQ(verdict("GET", "/missing/k?uploadId=" + id), "404 NoSuchBucket");
}

TEST_F(S3Multipart, PartsAreListedInPages) {
  const std::string id = create("/bucket/k");
  for (const int number : {5, 1, 3, 9'999}) part("/bucket/k", id, number, "x");
  const auto page = [&](std::string_view query) {
    return call("GET", fmt::format("/bucket/k?uploadId={}&{}", id, query));
  };
  S3Answer answer = page("max-parts=3");
  EXPECT_EQ(answer.elements("PartNumber"), (Names{"1", "3", "5"}));
  EXPECT_EQ(answer.element("IsTruncated"), "true");
  EXPECT_EQ(answer.element("NextPartNumberMarker"), "5");
  answer = page("part-number-marker=5");
  EXPECT_EQ(answer.elements("PartNumber"), (Names{"9999"}));
  EXPECT_EQ(answer.element("IsTruncated"), "false");
  EXPECT_EQ(page("max-parts=x").verdict(), "400 InvalidArgument");
  EXPECT_EQ(page("part-number-marker=-1").verdict(), "400 InvalidArgument");
}

TEST_F(S3Multipart, UploadsAreListedInPages) {
  for (const char* target :
       {"/bucket/a/1", "/bucket/a/2", "/bucket/a/3", "/bucket/b", "/bucket/b", "/bucket/c/d/e"}) {
    create(target);
  }
  const auto page = [&](std::string_view query) {
    return call("GET", fmt::format("/bucket?uploads&{}", query));
  };
  EXPECT_EQ(page("").elements("Key"), (Names{"a/1", "a/2", "a/3", "b", "b", "c/d/e"}));
  EXPECT_EQ(page("prefix=a%2F").elements("Key"), (Names{"a/1", "a/2", "a/3"}));
  EXPECT_EQ(page("max-uploads=0").elements("Key"), Names{});
  EXPECT_EQ(page("max-uploads=x").verdict(), "400 InvalidArgument");
  EXPECT_EQ(page("encoding-type=url&prefix=c").element("Key"), "c/d/e");
  // Every page size gives each upload and each common prefix once.
  for (const std::string_view delimiter : {"", "%2F"}) {
    for (int size = 1; size <= 6; ++size) {
      Names keys, prefixes;
      std::string key_marker, id_marker;
      for (int round = 0; round < 20; ++round) {
        const S3Answer answer =
            page(fmt::format("delimiter={}&max-uploads={}&key-marker={}&upload-id-marker={}",
                             delimiter, size, s3::percent_encoded(key_marker, false), id_marker));
        for (const auto& key : answer.elements("Key")) keys.push_back(key);
        Names found = answer.elements("Prefix");
        prefixes.insert(prefixes.end(), found.begin() + 1, found.end());
        if (answer.element("IsTruncated") != "true") break;
        key_marker = answer.element("NextKeyMarker");
        id_marker = answer.element("NextUploadIdMarker");
      }
      if (delimiter.empty()) {
        EXPECT_EQ(keys, (Names{"a/1", "a/2", "a/3", "b", "b", "c/d/e"})) << size;
        EXPECT_EQ(prefixes, Names{});
      } else {
        EXPECT_EQ(keys, (Names{"b", "b"})) << size;
        EXPECT_EQ(prefixes, (Names{"a/", "c/"})) << size;
      }
    }
  }
}

}  // namespace
}  // namespace turbine::test
