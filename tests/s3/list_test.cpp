// ListObjects, ListObjectsV2: order, pages, prefixes, delimiters, encoding.
#include <set>

#include "base/rng.hpp"
#include "base/utf8.hpp"
#include "support/s3_service_fixture.hpp"

namespace turbine::test {
namespace {

using Names = std::vector<std::string>;

class S3List : public S3ServiceFixture {
 protected:
  void SetUp() override { put("/bucket", ""); }
  void fill(const Names& keys) {
    for (const auto& key : keys) put("/bucket/" + s3::percent_encoded(key, true), "x");
  }
  S3Answer list(std::string_view query) {
    S3Answer answer = call("GET", fmt::format("/bucket?list-type=2&{}", query));
    EXPECT_EQ(answer.verdict(), "200") << query << answer.body;
    return answer;
  }
  /// Keys and common prefixes of all pages; counts what IsTruncated promises.
  std::pair<Names, Names> all_pages(const std::string& query, bool v2) {
    std::pair<Names, Names> result;
    std::string next;
    for (int page = 0; page < 1000; ++page) {
      const std::string marker =
          next.empty() ? "" : (v2 ? "&continuation-token=" : "&marker=") + next;
      const S3Answer answer =
          call("GET", fmt::format("/bucket?{}{}{}",
                                  v2 ? "list-type=2&encoding-type=url&" : "encoding-type=url&",
                                  query, marker));
      EXPECT_EQ(answer.verdict(), "200") << answer.body;
      for (const auto& key : answer.elements("Key")) {
        result.first.push_back(*s3::percent_decode(key, false));
      }
      const size_t groups = answer.body.find("<CommonPrefixes>");
      if (groups != std::string::npos) {
        S3Answer rest;
        rest.body = answer.body.substr(groups);
        for (const auto& prefix : rest.elements("Prefix")) {
          result.second.push_back(*s3::percent_decode(prefix, false));
        }
      }
      if (answer.element("IsTruncated") != "true") return result;
      next = answer.element(v2 ? "NextContinuationToken" : "NextMarker");
      EXPECT_FALSE(next.empty());
    }
    ADD_FAILURE() << "never ends";
    return result;
  }
};

TEST_F(S3List, GivesKeysInByteOrder) {
  fill({"b", "a/", "a", "a/b", "B", "a0", "a.b", "a!", "\xc3\xbc", "z", "\xf0\x9f\x98\x80",
        "\xef\xbf\xbd", "/", "//", "~"});
  EXPECT_EQ(list("").elements("Key"),
            (Names{"/", "//", "B", "a", "a!", "a.b", "a/", "a/b", "a0", "b", "z", "~", "\xc3\xbc",
                   "\xef\xbf\xbd", "\xf0\x9f\x98\x80"}));
}

TEST_F(S3List, AnswersWithAllItsFields) {
  fill({"a", "p/x", "p/y"});
  S3Answer v2 = list("prefix=&delimiter=%2F&max-keys=1000&start-after=0&fetch-owner=true");
  EXPECT_EQ(v2.element("Name"), "bucket");
  EXPECT_EQ(v2.element("KeyCount"), "2");
  EXPECT_EQ(v2.element("MaxKeys"), "1000");
  EXPECT_EQ(v2.element("Delimiter"), "/");
  EXPECT_EQ(v2.element("StartAfter"), "0");
  EXPECT_EQ(v2.element("IsTruncated"), "false");
  EXPECT_EQ(v2.element("Size"), "1");
  EXPECT_EQ(v2.element("StorageClass"), "STANDARD");
  EXPECT_EQ(v2.element("ETag"), "&quot;9dd4e461268c8034f5c8564e155c67a6&quot;");
  EXPECT_EQ(v2.element("DisplayName"), "root");
  EXPECT_EQ(v2.elements("Prefix"), (Names{"", "p/"}));
  EXPECT_EQ(list("").element("DisplayName"), "");
  const S3Answer v1 = call("GET", "/bucket?delimiter=%2F&marker=0");
  EXPECT_EQ(v1.element("Marker"), "0");
  EXPECT_EQ(v1.element("DisplayName"), "root");
  EXPECT_EQ(v1.elements("Key"), Names{"a"});
  EXPECT_EQ(v1.element("KeyCount"), "");
}

TEST_F(S3List, HonoursPrefixes) {
  fill({"a", "a/", "a/b", "ab", "b", "/a"});
  const auto with = [&](std::string_view prefix) {
    return list(fmt::format("prefix={}", prefix)).elements("Key");
  };
  EXPECT_EQ(with("a"), (Names{"a", "a/", "a/b", "ab"}));
  EXPECT_EQ(with("a%2F"), (Names{"a/", "a/b"}));
  EXPECT_EQ(with("%2F"), (Names{"/a"}));
  EXPECT_EQ(with("c"), (Names{}));
  EXPECT_EQ(with("a%2Fb%2F"), (Names{}));
}

TEST_F(S3List, FoldsByAnyDelimiter) {
  fill({"a", "a/", "a/b", "a/c/d", "b-1", "b-2", "c--1"});
  const auto folded = [&](std::string_view query) {
    const S3Answer answer = list(query);
    Names prefixes = answer.elements("Prefix");
    prefixes.erase(prefixes.begin());
    return std::pair(answer.elements("Key"), prefixes);
  };
  EXPECT_EQ(folded("delimiter=%2F"), (std::pair(Names{"a", "b-1", "b-2", "c--1"}, Names{"a/"})));
  EXPECT_EQ(folded("delimiter=%2F&prefix=a%2F"), (std::pair(Names{"a/", "a/b"}, Names{"a/c/"})));
  EXPECT_EQ(folded("delimiter=-"),
            (std::pair(Names{"a", "a/", "a/b", "a/c/d"}, Names{"b-", "c-"})));
  EXPECT_EQ(folded("delimiter=--"),
            (std::pair(Names{"a", "a/", "a/b", "a/c/d", "b-1", "b-2"}, Names{"c--"})));
  EXPECT_EQ(folded("delimiter=%2F&prefix=a&start-after=a%2F"), (std::pair(Names{}, Names{})));
}

TEST_F(S3List, TakesNoMoreKeysThanAsked) {
  fill({"a", "b", "c"});
  S3Answer answer = list("max-keys=2");
  EXPECT_EQ(answer.elements("Key"), (Names{"a", "b"}));
  EXPECT_EQ(answer.element("IsTruncated"), "true");
  answer = list("max-keys=0");
  EXPECT_EQ(answer.elements("Key"), Names{});
  EXPECT_EQ(answer.element("IsTruncated"), "false");
  EXPECT_EQ(list("max-keys=3").element("IsTruncated"), "false");
  EXPECT_EQ(list("max-keys=2000000000").element("MaxKeys"), "1000");
  for (const char* bad : {"max-keys=-1", "max-keys=x", "max-keys=2147483648"}) {
    EXPECT_EQ(verdict("GET", fmt::format("/bucket?list-type=2&{}", bad)), "400 InvalidArgument");
    EXPECT_EQ(verdict("GET", fmt::format("/bucket?{}", bad)), "400 InvalidArgument");
  }
  EXPECT_EQ(verdict("GET", "/missing?list-type=2&max-keys=0"), "404 NoSuchBucket");
}

TEST_F(S3List, RefusesBadQuestions) {
  for (const char* bad : {"list-type=1", "list-type=2&encoding-type=base64",
                          "list-type=2&continuation-token=", "list-type=2&continuation-token=1zz",
                          "list-type=2&continuation-token=261", "encoding-type=x"}) {
    EXPECT_EQ(verdict("GET", fmt::format("/bucket?{}", bad)), "400 InvalidArgument") << bad;
  }
  EXPECT_EQ(verdict("GET", "/bucket?prefix=" + std::string(1025, 'x')), "400 KeyTooLongError");
}

TEST_F(S3List, EncodesNamesWhenAsked) {
  fill({"a b+c%/\xc3\xbc", "\x01"});
  S3Answer answer = list("encoding-type=url&delimiter=%01&prefix=");
  EXPECT_EQ(answer.elements("Key"), (Names{"a%20b%2Bc%25/%C3%BC"}));
  EXPECT_EQ(answer.element("Delimiter"), "%01");
  EXPECT_EQ(answer.element("EncodingType"), "url");
  EXPECT_EQ(list("").elements("Key"), (Names{"&#x1;", "a b+c%/\xc3\xbc"}));
}

TEST_F(S3List, NamesThatAreNotUtf8AreOnlyInEncodedAnswers) {
  fill({"a", "c"});
  const auto writer =
      time_.run(files_.create(files_.begin(1), "bucket", "b\xff", std::nullopt)).value();
  ASSERT_TRUE(
      time_.run(writer->commit({}, {})).ok());  // as somebody who works with files may name it
  EXPECT_EQ(list("").elements("Key"), (Names{"a", "c"}));
  EXPECT_EQ(list("").element("KeyCount"), "2");
  EXPECT_EQ(list("encoding-type=url").elements("Key"), (Names{"a", "b%FF", "c"}));
}

TEST_F(S3List, StaysReadableWhateverThePrefixIs) {
  const S3Answer answer = list("prefix=%FF%3C");
  EXPECT_TRUE(is_valid_utf8(answer.body));
  EXPECT_EQ(answer.element("Prefix"), "\xef\xbf\xbd&lt;");
}

// Random keys, prefixes, delimiters and page sizes against a sorted set.
TEST_F(S3List, PagesGiveEachNameOnceInOrder) {
  Rng rng(2);
  constexpr std::string_view kPieces[] = {"a", "b", "/", "//", "-", ".", "..", "\xc3\xbc", "a/"};
  const auto random_text = [&](uint64_t pieces_max) {
    std::string text;
    for (uint64_t i = rng.below(pieces_max); i > 0; --i) text += kPieces[rng.below(9)];
    return text;
  };
  std::set<std::string> model;
  for (int i = 0; i < 150; ++i) {
    const std::string key = random_text(7) + std::string(kPieces[rng.below(9)]);
    model.insert(key);
    put("/bucket/" + s3::percent_encoded(key, true), "x");
  }
  const std::string delimiters[] = {"", "/", "/", "-", "//", "\xc3\xbc", "a"};
  for (int round = 0; round < 150; ++round) {
    const std::string prefix = random_text(3), delimiter = delimiters[rng.below(7)];
    const std::string start = rng.below(3) == 0 ? random_text(5) : "";
    std::pair<Names, Names> expected;
    for (const std::string& key : model) {
      if (!key.starts_with(prefix) || key <= start) continue;
      const size_t at = delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
      const std::string group = at == std::string::npos ? "" : key.substr(0, at + delimiter.size());
      if (group.empty()) {
        expected.first.push_back(key);
      } else if (group != start && !group.empty() &&
                 (expected.second.empty() || expected.second.back() != group)) {
        expected.second.push_back(group);
      }
    }
    const bool v2 = rng.below(2) == 0;
    const std::string query =
        fmt::format("prefix={}&delimiter={}&max-keys={}&{}={}", s3::percent_encoded(prefix, false),
                    s3::percent_encoded(delimiter, false), rng.below(9) + 1,
                    v2 ? "start-after" : "fetch-x", s3::percent_encoded(v2 ? start : "", false));
    if (!v2 && !start.empty()) continue;
    EXPECT_EQ(all_pages(query, v2), expected) << query;
  }
}

}  // namespace
}  // namespace turbine::test
