#include "s3/uri.hpp"

#include <gtest/gtest.h>

namespace turbine::s3 {
namespace {

using namespace std::string_view_literals;

TEST(Uri, SplitsBucketFromKeyAndCleansNothing) {
  struct Case {
    std::string_view target, bucket, key;
  };
  const Case cases[] = {
      {"/", "", ""},
      {"/b", "b", ""},
      {"/b/", "b", ""},
      {"/b/k", "b", "k"},
      {"/b//", "b", "/"},
      {"/b//k//", "b", "/k//"},
      {"/b/.", "b", "."},
      {"/b/../c/k", "b", "../c/k"},
      {"/b/%2e%2e/c", "b", "../c"},
      {"/b%2Fk", "b", "k"},
      {"/b/a%2Fb", "b", "a/b"},
      {"/b/a%252Fb", "b", "a%2Fb"},
      {"/b/a+b%2B", "b", "a+b+"},
      {"/b/a\\b", "b", "a\\b"},
      {"/b/%C3%BC", "b", "\xc3\xbc"},
      {"/b/k;v=1#f", "b", "k;v=1#f"},
      {"//k", "", "k"},
  };
  for (const Case& c : cases) {
    const auto uri = Uri::parse(c.target);
    ASSERT_TRUE(uri.ok()) << c.target;
    EXPECT_EQ(uri->bucket, c.bucket) << c.target;
    EXPECT_EQ(uri->key, c.key) << c.target;
  }
  EXPECT_EQ(Uri::parse("/b/a%00z")->key, "a\0z"sv);
}

TEST(Uri, RefusesWhatNamesNothing) {
  for (const std::string_view target :
       {"", "b/k", "*", "http://host/b/k", "/b/%", "/b/%4", "/b/%4g", "/b/%zz", "/b/%FF", "/b/%C3",
        "/b?%", "/b?a=%4", "?a"}) {
    EXPECT_TRUE(Uri::parse(target).failed_with(Errc::invalid)) << target;
  }
}

TEST(Uri, ReadsTheQuery) {
  const auto uri = Uri::parse("/b?list-type=2&prefix=a%2Fb+c&acl&empty=&&x=1&x=2&e=a=b?c");
  ASSERT_TRUE(uri.ok());
  const Query& query = uri->query;
  EXPECT_EQ(query.items().size(), 7u);
  EXPECT_EQ(query.get("prefix"), "a/b c");
  EXPECT_TRUE(query.has("acl"));
  EXPECT_TRUE(query.has("empty"));
  EXPECT_EQ(query.get("x"), "1");
  EXPECT_EQ(query.count("x"), 2u);
  EXPECT_EQ(query.get("e"), "a=b?c");
  EXPECT_FALSE(query.has("Prefix"));
  EXPECT_EQ(query.find("nothing"), nullptr);
}

TEST(Uri, EncodesAllButTheUnreserved) {
  EXPECT_EQ(percent_encoded("AZaz09-._~/ +%\xc3\xbc", true), "AZaz09-._~/%20%2B%25%C3%BC");
  EXPECT_EQ(percent_encoded("a/b", false), "a%2Fb");
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(percent_decode(percent_encoded(all, false), true), all);
}

// What may be asked for; the names that may be made are those of fs/bucket_name.hpp.
TEST(Uri, ABucketsNameIsOneComponent) {
  for (const std::string_view name : {""sv, "."sv, ".."sv, "a/b"sv, "a\0b"sv, "a b"sv, "a~"sv}) {
    EXPECT_FALSE(is_possible_bucket_name(name)) << name;
  }
  EXPECT_FALSE(is_possible_bucket_name(std::string(256, 'a')));
  EXPECT_TRUE(is_possible_bucket_name("a-b.c1"));
  EXPECT_TRUE(is_possible_bucket_name("Made_over_NFS"));
}

}  // namespace
}  // namespace turbine::s3
