#include "s3/byte_range.hpp"

#include <gtest/gtest.h>

namespace turbine::s3 {
namespace {

/// "offset+length", "all", or the error's name.
std::string range(std::string_view header, uint64_t size) {
  const auto parsed = parse_range(header, size);
  if (!parsed.has_value()) return std::string(s3_code_name(parsed.error().code));
  if (!parsed->has_value()) return "all";
  return fmt::format("{}+{}", (*parsed)->offset, (*parsed)->length);
}

TEST(ByteRange, ReadsTheThreeForms) {
  EXPECT_EQ(range("bytes=0-0", 10), "0+1");
  EXPECT_EQ(range("bytes=2-5", 10), "2+4");
  EXPECT_EQ(range("bytes=2-99", 10), "2+8");
  EXPECT_EQ(range("bytes=2-", 10), "2+8");
  EXPECT_EQ(range("bytes=9-", 10), "9+1");
  EXPECT_EQ(range("bytes=-3", 10), "7+3");
  EXPECT_EQ(range("bytes=-99", 10), "0+10");
  EXPECT_EQ(range("bytes=0-18446744073709551615", 10), "0+10");
}

TEST(ByteRange, IgnoresWhatItDoesNotUnderstand) {
  for (const std::string_view header :
       {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=5-2", "bytes=1-2,4-5",
        "bytes= 1-2", "bytes=1-2 ", "bytes=+1-2", "items=1-2"}) {
    EXPECT_EQ(range(header, 10), "all") << header;
  }
}

TEST(ByteRange, NothingInsideIsAnError) {
  EXPECT_EQ(range("bytes=10-", 10), "InvalidRange");
  EXPECT_EQ(range("bytes=10-12", 10), "InvalidRange");
  EXPECT_EQ(range("bytes=-0", 10), "InvalidRange");
  EXPECT_EQ(range("bytes=0-", 0), "InvalidRange");
  EXPECT_EQ(range("bytes=-5", 0), "InvalidRange");
  const auto error = parse_range("bytes=10-", 10).error();
  EXPECT_EQ(s3_code_status(error.code), 416);
  EXPECT_EQ(error.headers.at(0),
            (std::pair<std::string, std::string>{"Content-Range", "bytes */10"}));
}

TEST(ByteRange, ACopyRangeIsExact) {
  const auto whole = parse_copy_range("bytes=0-9", 10);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(whole->length, 10u);
  for (const std::string_view header :
       {"", "bytes=0-10", "bytes=0-", "bytes=-1", "bytes=5-4", "0-9", "bytes=0-9,11-12"}) {
    const auto refused = parse_copy_range(header, 10);
    ASSERT_FALSE(refused.has_value()) << header;
    EXPECT_EQ(refused.error().code, S3Code::invalid_argument) << header;
  }
}

}  // namespace
}  // namespace turbine::s3
