#include "etcd/options.hpp"

#include <gtest/gtest.h>

#include "etcd/json_fields.hpp"

namespace turbine::etcd {
namespace {

TEST(EtcdOptions, ReadsListsOfEndpoints) {
  const auto found = parse_endpoints("etcds://store-1:2379,10.0.0.7:1234,[::1]:99,[fe80::1],b");
  ASSERT_TRUE(found.ok()) << found.error().text();
  EXPECT_EQ(*found, (std::vector<Endpoint>{{"store-1", 2379, true},
                                           {"10.0.0.7", 1234, true},
                                           {"::1", 99, true},
                                           {"fe80::1", 2379, true},
                                           {"b", 2379, true}}));
  EXPECT_FALSE(parse_endpoints("etcd://a:1")->front().tls);
  EXPECT_EQ((*found)[2].text(), "https://[::1]:99");
  EXPECT_EQ(parse_endpoints("etcd://a:1")->front().text(), "http://a:1");
}

TEST(EtcdOptions, RefusesWhatIsNoAddress) {
  for (const char* bad : {"", "a:1", "http://a:1", "etcd://", "etcd://a:", "etcd://a:0",
                          "etcd://a:65536", "etcd://a:1x", "etcd://a:1,", "etcd://a:1/path",
                          "etcd://[::1", "etcd://[::1]1", "etcd://::1", "etcd://user@a:1"}) {
    EXPECT_TRUE(parse_endpoints(bad).failed_with(Errc::invalid)) << bad;
  }
}

TEST(EtcdJson, EndsAPrefixBehindItsLastKey) {
  EXPECT_EQ(prefix_end("a/"), "a0");
  EXPECT_EQ(prefix_end("a\xFF\xFF"), "b");
  EXPECT_EQ(prefix_end("\xFF"), std::string(1, '\0'));
  EXPECT_EQ(prefix_end(""), std::string(1, '\0'));
}

TEST(EtcdJson, RefusesBadBase64) {
  EXPECT_EQ(from_base64("YQ==").value(), "a");
  EXPECT_EQ(from_base64("").value(), "");
  EXPECT_TRUE(from_base64("YQ").failed_with(Errc::corrupt));
  EXPECT_TRUE(from_base64("Y*==").failed_with(Errc::corrupt));
}

}  // namespace
}  // namespace turbine::etcd
