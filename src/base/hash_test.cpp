#include "base/hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace turbine {
namespace {

// Made with the XXH3 of xxHash itself, scalar code; all formats on disk stand on these.
TEST(Hash, IsXxh3) {
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2ULL);
}

TEST(Hash, IsXxh3AtEveryLengthThatHasCodeOfItsOwn) {
  const auto bytes = [](size_t count) {
    std::string text(count, '\0');
    for (size_t i = 0; i < count; ++i) text[i] = static_cast<char>(i * 7 + 3);
    return text;
  };
  EXPECT_EQ(hash64(bytes(240), 5), 16292780009398858902ULL);
  EXPECT_EQ(hash64(bytes(241), 5), 2246722043598779852ULL);
  EXPECT_EQ(hash64(bytes(4096), 0), 15511108803552338814ULL);
  EXPECT_EQ(hash64(bytes(16384), 1234567), 14149741998110418058ULL);
}

TEST(Hash, CombinesSeedsAsFourLittleEndianNumbers) {
  EXPECT_EQ(combine_seeds(1, 2, 3, 4), 0x53e911333a923397ULL);
  EXPECT_EQ(combine_seeds(1, 2), combine_seeds(1, 2, 0, 0));
  EXPECT_NE(combine_seeds(1, 2), combine_seeds(2, 1));
}

}  // namespace
}  // namespace turbine
