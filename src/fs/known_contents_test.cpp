#include "fs/known_contents.hpp"

#include <gtest/gtest.h>

#include "fs/file_content.hpp"

namespace turbine::fs {
namespace {

std::shared_ptr<FileContent> some_content() {
  return std::make_shared<FileContent>(nullptr, InodeId(1));
}

/// How many reads of `version` in a row call for learning it.
size_t times_worth(KnownContents& known, uint64_t version, int reads) {
  size_t count = 0;
  for (int i = 0; i < reads; ++i) count += known.worth_learning(InodeId(1), version);
  return count;
}

TEST(KnownContents, AVersionIsWorthLearningOnceAfterManyReadsInARow) {
  KnownContents known;
  EXPECT_EQ(times_worth(known, 5, 15), 0U);
  EXPECT_EQ(times_worth(known, 6, 15), 0U);
  EXPECT_EQ(times_worth(known, 5, 15), 0U);
  EXPECT_FALSE(known.worth_learning(InodeId(2), 5));
  EXPECT_EQ(times_worth(known, 5, 1000), 1U);
}

TEST(KnownContents, WhatWasDroppedMayBeLearntAgain) {
  KnownContents known;
  EXPECT_EQ(times_worth(known, 5, 100), 1U);
  known.put(InodeId(1), {5, some_content()}, 1000);
  known.drop(InodeId(1));
  EXPECT_EQ(times_worth(known, 5, 100), 1U);
  known.put(InodeId(1), {5, some_content()}, size_t{40} << 20);  // too large
  EXPECT_EQ(times_worth(known, 5, 100), 0U);
}

TEST(KnownContents, AreFoundUntilTheyAreDropped) {
  KnownContents known;
  EXPECT_EQ(known.find(InodeId(1)).content, nullptr);
  const auto content = some_content();
  known.put(InodeId(1), {5, content}, 1000);
  EXPECT_EQ(known.find(InodeId(1)).content, content);
  EXPECT_EQ(known.find(InodeId(1)).version, 5U);
  known.drop(InodeId(1));
  EXPECT_EQ(known.find(InodeId(1)).content, nullptr);
}

TEST(KnownContents, TheLeastUsedGoFirstAndTheLargestAreNotKept) {
  KnownContents known;
  constexpr size_t kBytes = size_t{10} << 20;
  for (uint64_t i = 1; i <= 6; ++i) known.put(InodeId(i), {1, some_content()}, kBytes);
  EXPECT_NE(known.find(InodeId(1)).content, nullptr);
  known.put(InodeId(7), {1, some_content()}, kBytes);
  EXPECT_NE(known.find(InodeId(1)).content, nullptr);
  EXPECT_EQ(known.find(InodeId(2)).content, nullptr);
  known.put(InodeId(8), {1, some_content()}, size_t{40} << 20);
  EXPECT_EQ(known.find(InodeId(8)).content, nullptr);
}

}  // namespace
}  // namespace turbine::fs
