#include "client/convert.hpp"

#include <gtest/gtest.h>

#include <set>

namespace turbine::client {
namespace {

PutOptions with_metadata(Metadata metadata) {
  PutOptions options;
  options.metadata = std::move(metadata);
  return options;
}

TEST(ClientConvert, GivesMetadataTheNameThatS3Knows) {
  const auto attributes = to_attributes(with_metadata({{"colour", "blue"}, {"a.b_c-1", ""}}));
  ASSERT_TRUE(attributes.ok());
  const fs::Attributes expected = {{"x-amz-meta-colour", "blue"}, {"x-amz-meta-a.b_c-1", ""}};
  EXPECT_EQ(attributes->metadata, expected);
  EXPECT_EQ(attributes->content_type, "binary/octet-stream");
}

TEST(ClientConvert, ShowsUserMetadataOnly) {
  fs::ObjectInfo info;
  info.key = "k";
  info.size = 3;
  info.modified_ns = 1'500'000'000;
  info.metadata = {{"cache-control", "no-store"}, {"x-amz-meta-colour", "blue"}};
  const ObjectInfo shown = to_client_info(info);
  EXPECT_EQ(shown.metadata, (Metadata{{"colour", "blue"}}));
  EXPECT_EQ(shown.modified.time_since_epoch(), std::chrono::milliseconds(1500));
  EXPECT_EQ(shown.size, 3U);
}

TEST(ClientConvert, RefusesMetadataThatWouldBreakAnHttpHead) {
  for (const auto& [name, value] : Metadata{{"", "x"},
                                            {"Upper", "x"},
                                            {"with space", "x"},
                                            {"line\nbreak", "x"},
                                            {"colon:", "x"},
                                            {"good", "line\r\nbreak"},
                                            {"good", std::string(1, '\0')},
                                            {"good", std::string(2048, 'x')}}) {
    EXPECT_TRUE(to_attributes(with_metadata({{name, value}})).failed_with(Errc::invalid))
        << name << "=" << value;
  }
  EXPECT_TRUE(to_attributes(with_metadata({{"a", "1"}, {"a", "2"}})).failed_with(Errc::invalid));
  PutOptions type;
  type.content_type = "text/plain\r\nx: y";
  EXPECT_TRUE(to_attributes(type).failed_with(Errc::invalid));
}

TEST(ClientConvert, TakesMetadataUpToItsBound) {
  EXPECT_TRUE(to_attributes(with_metadata({{"m", std::string(2047, 'x')}})).ok());
}

TEST(ClientConvert, KeysAreUtf8) {
  EXPECT_TRUE(check_key("gr\xc3\xbc\xc3\x9f/e").ok());
  EXPECT_TRUE(check_key("\xff").failed_with(Errc::invalid));
}

TEST(ClientConvert, SaysOfATimeoutThatTheOutcomeIsUnknown) {
  EXPECT_EQ(to_client_error({Errc::timeout, "t"}).code, ErrorCode::unknown_outcome);
  EXPECT_EQ(to_client_error({Errc::unavailable, "u"}).code, ErrorCode::unavailable);
  EXPECT_EQ(to_client_error({Errc::no_space, "full"}).message, "full");
}

TEST(ClientConvert, EveryErrorCodeHasAName) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ErrorCode::failed); ++i) {
    names.insert(to_string(static_cast<ErrorCode>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(ErrorCode::failed) + 1);
  EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace turbine::client
