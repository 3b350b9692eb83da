#include "s3/object_fields.hpp"

#include <gtest/gtest.h>

#include "s3/response_text.hpp"

namespace turbine::s3 {
namespace {

RequestHead head_of(std::string_view fields) {
  auto head = RequestHead::parse(fmt::format("PUT /b/k HTTP/1.1\r\nhost: h\r\n{}\r\n", fields));
  return std::move(head.value());
}

using Attributes = fs::Attributes;

TEST(ObjectFields, KeepsWhatS3Keeps) {
  const auto made = attributes_of(head_of(
      "Content-Type: text/plain\r\nX-Amz-Meta-A: 1\r\nx-amz-meta-a: 2\r\nCache-Control: "
      "no-cache\r\n"
      "Content-Disposition: inline\r\nContent-Language: de\r\nExpires: soon\r\n"
      "Content-Encoding: aws-chunked, gzip,br\r\nUser-Agent: x\r\nx-amz-storage-class: STANDARD\r\n"
      "x-amz-acl: private\r\n"));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->content_type, "text/plain");
  EXPECT_EQ(made->metadata, (Attributes{{"x-amz-meta-a", "1,2"},
                                        {"cache-control", "no-cache"},
                                        {"content-disposition", "inline"},
                                        {"content-language", "de"},
                                        {"expires", "soon"},
                                        {"content-encoding", "gzip,br"}}));
  const auto plain = attributes_of(head_of("Content-Encoding: aws-chunked\r\n"));
  EXPECT_EQ(plain->content_type, "binary/octet-stream");
  EXPECT_TRUE(plain->metadata.empty());
}

TEST(ObjectFields, BoundsUserMetadata) {
  const auto sized = [](size_t bytes) {
    return attributes_of(
        head_of(fmt::format("x-amz-meta-ab: {}\r\n", std::string(bytes - 2, 'v'))));
  };
  EXPECT_TRUE(sized(2048).has_value());
  ASSERT_FALSE(sized(2049).has_value());
  EXPECT_EQ(sized(2049).error().code, S3Code::metadata_too_large);
}

// Storing an object without the protection that was asked for would be a lie.
TEST(ObjectFields, RefusesWhatItWouldHaveToDrop) {
  for (const std::string_view field :
       {"x-amz-server-side-encryption: AES256", "x-amz-server-side-encryption-customer-key: k",
        "x-amz-object-lock-mode: COMPLIANCE", "x-amz-grant-read: id=x", "x-amz-tagging: a=b",
        "x-amz-website-redirect-location: /x", "x-amz-acl: public-read",
        "x-amz-write-offset-bytes: 5",
        "x-amz-copy-source-server-side-encryption-customer-algorithm: AES256"}) {
    const auto refused = attributes_of(head_of(fmt::format("{}\r\n", field)));
    ASSERT_FALSE(refused.has_value()) << field;
    EXPECT_EQ(refused.error().code, S3Code::not_implemented) << field;
  }
}

TEST(ObjectFields, AnswersWithWhatWasStored) {
  fs::ObjectInfo info;
  info.etag = "abc";
  info.modified_ns = 784'111'777'000'000'000;
  info.metadata = {{"x-amz-meta-a", "1"}, {"x-amz-checksum-crc32", "AAAAAA=="}, {"bad name", "x"}};
  ResponseHead head;
  add_object_fields(head, info, true);
  EXPECT_EQ(head.fields, (Attributes{{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                     {"ETag", "\"abc\""},
                                     {"Accept-Ranges", "bytes"},
                                     {"Content-Type", "binary/octet-stream"},
                                     {"x-amz-meta-a", "1"},
                                     {"x-amz-checksum-type", "FULL_OBJECT"},
                                     {"x-amz-checksum-crc32", "AAAAAA=="}}));
  ResponseHead without;
  add_object_fields(without, info, false);
  EXPECT_EQ(without.fields.size(), 5u);
}

TEST(ResponseText, NoValueEndsItsField) {
  ResponseHead head;
  head.add("x-amz-meta-a", "1\r\nSet-Cookie: x\n\ty\x7f");
  const std::string text = format_response_head(head, 5, false);
  EXPECT_EQ(text,
            "HTTP/1.1 200 OK\r\nx-amz-meta-a: 1  Set-Cookie: x  y \r\nContent-Length: 5\r\n"
            "Connection: close\r\n\r\n");
  EXPECT_EQ(format_response_head({204, {}}, std::nullopt, true), "HTTP/1.1 204 No Content\r\n\r\n");
}

}  // namespace
}  // namespace turbine::s3
