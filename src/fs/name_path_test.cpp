#include "fs/name_path.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.hpp"

namespace turbine::fs {
namespace {

std::string random_key(Rng& rng) {
  static constexpr std::string_view kPieces[] = {"/",  "/", "/",       "a",    "b",  ".",
                                                 "..", "é", {"\0", 1}, "\xFF", "//", "%2f"};
  std::string key;
  const uint64_t count = rng.below(10) + 1;
  for (uint64_t i = 0; i < count; ++i) key += kPieces[rng.below(std::size(kPieces))];
  return key.empty() ? "x" : key;
}

TEST(NamePath, CutsAtEverySlash) {
  const auto path = [](std::string_view key) { return *split_key(key); };
  EXPECT_EQ(path("a"), (NamePath{{}, "a"}));
  EXPECT_EQ(path("a/"), (NamePath{{"a"}, ""}));
  EXPECT_EQ(path("/a"), (NamePath{{""}, "a"}));
  EXPECT_EQ(path("a//b"), (NamePath{{"a", ""}, "b"}));
  EXPECT_EQ(path("/"), (NamePath{{""}, ""}));
  EXPECT_EQ(path("./../x"), (NamePath{{".", ".."}, "x"}));
}

TEST(NamePath, IsInjectiveAndReversible) {
  Rng rng(7);
  std::map<std::pair<std::vector<std::string>, std::string>, std::string> seen;
  for (int i = 0; i < 20000; ++i) {
    const std::string key = random_key(rng);
    const auto path = split_key(key);
    ASSERT_TRUE(path.ok());
    ASSERT_EQ(join_key(*path), key);
    for (const auto& name : path->directories) ASSERT_EQ(name.find('/'), std::string::npos);
    ASSERT_EQ(path->file.find('/'), std::string::npos);
    const auto [place, fresh] = seen.try_emplace({path->directories, path->file}, key);
    ASSERT_EQ(place->second, key);
  }
}

TEST(NamePath, RefusesEmptyAndOverlongKeys) {
  EXPECT_TRUE(split_key("").failed_with(Errc::invalid));
  EXPECT_TRUE(split_key(std::string(1024, 'x')).ok());
  EXPECT_TRUE(split_key(std::string(1025, 'x')).failed_with(Errc::name_too_long));
}

TEST(NamePath, FindsTheEndOfAPrefix) {
  Rng rng(8);
  for (int i = 0; i < 20000; ++i) {
    const std::string prefix = random_key(rng), key = random_key(rng);
    const std::string end = after_all_with_prefix(prefix);
    if (key.starts_with(prefix)) {
      ASSERT_TRUE(end.empty() || key < end);
    } else if (key > prefix) {
      ASSERT_TRUE(!end.empty() && key >= end);
    }
  }
  EXPECT_EQ(after_all_with_prefix("a\xFF"), "b");
  EXPECT_EQ(after_all_with_prefix("\xFF\xFF"), "");
}

}  // namespace
}  // namespace turbine::fs
