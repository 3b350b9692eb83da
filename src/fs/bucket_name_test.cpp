#include "fs/bucket_name.hpp"

#include <gtest/gtest.h>

#include <string>

namespace turbine::fs {
namespace {

TEST(BucketName, FollowsAmazonsRules) {
  for (const char* good : {"abc", "my-bucket.2", "0a0", "1.2.3", "1.2.3.4.5", "a.b.c.d"}) {
    EXPECT_TRUE(is_valid_new_bucket_name(good)) << good;
  }
  EXPECT_TRUE(is_valid_new_bucket_name(std::string(63, 'x')));
  for (const char* bad : {"", "ab", "Abc", "a_b", "a/b", "-ab", "ab-", ".ab", "ab.", "a..b",
                          "192.168.0.1", "xn--abc", "a b", "\xc3\xa4xx"}) {
    EXPECT_FALSE(is_valid_new_bucket_name(bad)) << bad;
  }
  EXPECT_FALSE(is_valid_new_bucket_name(std::string(64, 'x')));
}

}  // namespace
}  // namespace turbine::fs
