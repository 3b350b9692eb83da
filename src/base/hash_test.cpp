#include "base/hash.hpp"

#include <gtest/gtest.h>

namespace turbine {
namespace {

// Made with the XXH3 of xxHash itself; all formats on disk stand on these.
TEST(Hash, IsXxh3) {
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2ULL);
}

TEST(Hash, CombinesSeedsAsFourLittleEndianNumbers) {
  EXPECT_EQ(combine_seeds(1, 2, 3, 4), 0x53e911333a923397ULL);
  EXPECT_EQ(combine_seeds(1, 2), combine_seeds(1, 2, 0, 0));
  EXPECT_NE(combine_seeds(1, 2), combine_seeds(2, 1));
}

}  // namespace
}  // namespace turbine
