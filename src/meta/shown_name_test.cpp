#include "meta/shown_name.hpp"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

namespace turbine::meta {
namespace {

const std::string kLong(300, 'x');
const std::string kNames[] = {"",
                              ".",
                              "..",
                              "a",
                              ".%",
                              ".%e",
                              ".%1",
                              ".%2",
                              ".%f",
                              ".%fa",
                              ".%n",
                              ".%n.%e",
                              ".%c3",
                              ".%cz",
                              ".%x",
                              ".%ea",
                              "a b",
                              "\xff\xfe",
                              "...",
                              ".%n.%fa",
                              ".%f.%f",
                              kLong,
                              ".%n" + std::string(250, 'y'),
                              std::string(255, 'z'),
                              ".%n" + std::string(252, 'y')};

TEST(ShownName, NoTwoEntriesAreShownAlikeAndAllFitIntoAFilesName) {
  std::map<std::string, std::tuple<std::string, bool>> shown;
  uint64_t cookie = 3;
  for (const std::string& name : kNames) {
    for (const bool hidden : {false, true}) {
      const std::string text = show_name(name, false, hidden, ++cookie);
      EXPECT_FALSE(text.empty() || text == "." || text == "..") << name;
      EXPECT_LE(text.size(), kShownBytesMax);
      const auto [at, added] = shown.emplace(text, std::tuple(name, hidden));
      EXPECT_TRUE(added) << text << " is " << name << " and " << std::get<0>(at->second);
    }
  }
}

TEST(ShownName, WhatIsShownSaysWhatItIs) {
  uint64_t cookie = 3;
  for (const std::string& name : kNames) {
    for (const bool hidden : {false, true}) {
      const std::string text = show_name(name, false, hidden, ++cookie);
      const auto parsed = parse_shown_name(text);
      ASSERT_TRUE(parsed.ok()) << text;
      if (parsed->cookie) {
        EXPECT_EQ(*parsed->cookie, cookie);
      } else {
        EXPECT_EQ(parsed->name, name);
        EXPECT_EQ(parsed->hidden_file, hidden);
      }
    }
  }
}

TEST(ShownName, ADirectoryIsNeverHidden) {
  EXPECT_EQ(show_name("a", true, true, 3), "a");
  EXPECT_EQ(show_name("a", false, true, 3), ".%fa");
  EXPECT_EQ(show_name(kLong, true, false, 0x1f), ".%c1f");
}

TEST(ShownName, WhatNothingIsShownAsIsNotFound) {
  for (const char* text : {".%ea", ".%1x", ".%nabc", ".%n", ".%c", ".%cxyz", ".%c1 "}) {
    EXPECT_TRUE(parse_shown_name(text).failed_with(Errc::not_found)) << text;
  }
  EXPECT_EQ(parse_shown_name(".%x")->name, ".%x");
}

}  // namespace
}  // namespace turbine::meta
