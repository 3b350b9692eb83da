#include "s3/conditions.hpp"

#include <gtest/gtest.h>

namespace turbine::s3 {
namespace {

RequestHead head_of(std::string_view fields) {
  auto head = RequestHead::parse(fmt::format("GET /b/k HTTP/1.1\r\nhost: h\r\n{}\r\n", fields));
  return std::move(head.value());
}

ConditionOutcome outcome(std::string_view fields, std::string_view prefix = "") {
  fs::ObjectInfo info;
  info.etag = "abc";
  info.modified_ns = 784'111'777'500'000'000;  // Sun, 06 Nov 1994 08:49:37.5 GMT
  return evaluate(read_conditions(head_of(fields), prefix), info);
}

constexpr auto kHolds = ConditionOutcome::holds;
constexpr auto kFailed = ConditionOutcome::failed;
constexpr auto kNotModified = ConditionOutcome::not_modified;

constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kSame = "Sun, 06 Nov 1994 08:49:37 GMT";

TEST(Conditions, MatchEtags) {
  EXPECT_EQ(outcome(""), kHolds);
  EXPECT_EQ(outcome("If-Match: \"abc\"\r\n"), kHolds);
  EXPECT_EQ(outcome("If-Match: abc\r\n"), kHolds);
  EXPECT_EQ(outcome("If-Match: *\r\n"), kHolds);
  EXPECT_EQ(outcome("If-Match: \"x\", W/\"abc\"\r\n"), kHolds);
  EXPECT_EQ(outcome("If-Match: \"abcd\"\r\n"), kFailed);
  EXPECT_EQ(outcome("If-None-Match: \"abc\"\r\n"), kNotModified);
  EXPECT_EQ(outcome("If-None-Match: *\r\n"), kNotModified);
  EXPECT_EQ(outcome("If-None-Match: \"x\"\r\n"), kHolds);
}

TEST(Conditions, CompareWholeSeconds) {
  const auto field = [](std::string_view name, std::string_view date) {
    return fmt::format("{}: {}\r\n", name, date);
  };
  EXPECT_EQ(outcome(field("If-Modified-Since", kBefore)), kHolds);
  EXPECT_EQ(outcome(field("If-Modified-Since", kSame)), kNotModified);
  EXPECT_EQ(outcome(field("If-Unmodified-Since", kBefore)), kFailed);
  EXPECT_EQ(outcome(field("If-Unmodified-Since", kSame)), kHolds);
  EXPECT_EQ(outcome(field("If-Modified-Since", "rubbish")), kHolds);
  EXPECT_EQ(outcome(field("If-Unmodified-Since", "Fri, 31 Dec 9999 23:59:59 GMT")), kHolds);
  EXPECT_EQ(outcome(field("If-Unmodified-Since", "rubbish")), kHolds);
}

TEST(Conditions, EtagsHideDates) {
  EXPECT_EQ(outcome(fmt::format("If-Match: abc\r\nIf-Unmodified-Since: {}\r\n", kBefore)), kHolds);
  EXPECT_EQ(outcome(fmt::format("If-None-Match: x\r\nIf-Modified-Since: {}\r\n", kSame)), kHolds);
  EXPECT_EQ(outcome("If-Match: x\r\nIf-None-Match: abc\r\n"), kFailed);
}

TEST(Conditions, ACopySourceHasItsOwn) {
  EXPECT_EQ(outcome("x-amz-copy-source-if-match: x\r\nIf-Match: abc\r\n", "x-amz-copy-source-"),
            kFailed);
  EXPECT_EQ(outcome("x-amz-copy-source-if-none-match: abc\r\n"), kHolds);
}

TEST(Conditions, OfWritesAreOneEtagOrNone) {
  EXPECT_EQ(write_conditions(head_of("If-Match: \"abc\"\r\n"))->if_match, "abc");
  EXPECT_EQ(write_conditions(head_of("If-None-Match: *\r\n"))->if_none_match, "*");
  EXPECT_EQ(write_conditions(head_of(fmt::format("If-Unmodified-Since: {}\r\n", kSame)))
                ->if_unmodified_since_ns,
            784'111'777'999'999'999);
  for (const std::string_view fields :
       {"If-Match: a, b\r\n", "If-None-Match: \"abc\"\r\n", "If-Match: a\r\nIf-None-Match: *\r\n",
        "x-amz-if-match-size: 5\r\n", "x-amz-if-match-last-modified-time: x\r\n"}) {
    const auto refused = write_conditions(head_of(fields));
    ASSERT_FALSE(refused.has_value()) << fields;
    EXPECT_EQ(refused.error().code, S3Code::not_implemented) << fields;
  }
}

}  // namespace
}  // namespace turbine::s3
