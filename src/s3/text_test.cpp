#include "s3/text.hpp"

#include <gtest/gtest.h>

namespace turbine::s3 {
namespace {

using namespace std::string_view_literals;

TEST(Text, ReadsDecimalAndHexStrictly) {
  EXPECT_EQ(parse_decimal("0"), 0u);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  for (const std::string_view bad : {"", "-1", "+1", " 1", "1 ", "1a", "18446744073709551616"}) {
    EXPECT_FALSE(parse_decimal(bad)) << bad;
  }
  EXPECT_EQ(parse_hex("fF"), 255u);
  EXPECT_EQ(parse_hex("ffffffffffffffff"), UINT64_MAX);
  for (const std::string_view bad : {"", "0x1", "-1", "g", "00000000000000001"}) {
    EXPECT_FALSE(parse_hex(bad)) << bad;
  }
}

TEST(Text, HexAndBase64GoBothWays) {
  EXPECT_EQ(to_hex(as_bytes("\x00\xff\x10"sv)), "00ff10");
  EXPECT_EQ(from_hex("00ff10"), "\x00\xff\x10"sv);
  for (const std::string_view bad : {"0", "0G", "FF"}) EXPECT_FALSE(from_hex(bad)) << bad;
  const std::pair<std::string_view, std::string_view> vectors[] = {// RFC 4648 section 10
                                                                   {"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"},
                                                                   {"\xff\xef", "/+8="}};
  for (const auto& [raw, encoded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(raw)), encoded);
    EXPECT_EQ(from_base64(encoded), raw);
  }
  for (const std::string_view bad :
       {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "====", "=Zg=", "Zg==Zg==", "Zm 9", "Zm9v\n"}) {
    EXPECT_FALSE(from_base64(bad)) << bad;
  }
}

TEST(Text, DatesInAllTheirForms) {
  constexpr int64_t kTime = 784'111'777;  // the example of RFC 9110 section 5.6.7
  EXPECT_EQ(format_http_date(kTime), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), kTime);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), kTime);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), kTime);
  for (const std::string_view bad :
       {"", "yesterday", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "784111777"}) {
    EXPECT_FALSE(parse_http_date(bad)) << bad;
  }
  // Seconds become nanoseconds; a signed overflow was found by fuzzing.
  EXPECT_FALSE(parse_http_date("Fri, 24 May 0013 00:00:00 GMT"));
  EXPECT_FALSE(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT"));
  EXPECT_FALSE(parse_iso_basic("99991231T235959Z"));
  EXPECT_EQ(parse_http_date("Tue, 31 Dec 2261 23:59:59 GMT"), 9'214'646'399);
  EXPECT_EQ(format_iso_time(kTime * 1'000'000'000 + 5'999'999), "1994-11-06T08:49:37.005Z");
  EXPECT_EQ(parse_iso_basic("19941106T084937Z"), kTime);
  for (const std::string_view bad : {"", "19941106T084937", "19941306T084937Z", "19941106 084937Z",
                                     "+9941106T084937Z", "19941106T084960X"}) {
    EXPECT_FALSE(parse_iso_basic(bad)) << bad;
  }
}

}  // namespace
}  // namespace turbine::s3
