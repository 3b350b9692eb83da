#include "gatewayd/gateway_config.hpp"

#include <gtest/gtest.h>

#include "base/config_file.hpp"

namespace turbine::gatewayd {
namespace {

TEST(GatewayConfig, ReadsBackWhatWasWritten) {
  GatewayConfig config;
  config.share_s3_port = true;
  config.secret = "a\"b";
  config.nfs_port = 2049;
  config.share_nfs_port = true;
  config.portmap_port = 111;
  config.tls = {"/cert.pem", "/key.pem", "/ca.pem"};
  const std::string path = testing::TempDir() + "gateway_config_test.toml";
  ASSERT_TRUE(write_file(path, to_toml(config), 0600).ok());
  const auto loaded = load_gateway_config(path);
  ASSERT_TRUE(loaded.ok()) << loaded.error().text();
  EXPECT_EQ(to_toml(*loaded), to_toml(config));
}

TEST(GatewayConfig, ServesNoNfsUnlessItIsGivenAPort) {
  const std::string path = testing::TempDir() + "gateway_config_nfs.toml";
  const std::string text =
      "[gateway]\nname = \"g\"\nsecret = \"s\"\n"
      "[network]\nmanager = \"unix:/m\"\nrpc = \"unix:/r\"\ns3_port = 9000\n";
  ASSERT_TRUE(write_file(path, text).ok());
  EXPECT_EQ(load_gateway_config(path)->nfs_port, 0);
  ASSERT_TRUE(write_file(path, text + "[nfs]\nportmap_port = 111\n").ok());
  const auto loaded = load_gateway_config(path);
  ASSERT_TRUE(loaded.failed_with(Errc::invalid));
  EXPECT_NE(loaded.error().context.find("nfs.port"), std::string::npos);
}

TEST(GatewayConfig, NamesAMisspeltKey) {
  GatewayConfig config;
  config.share_s3_port = true;
  config.secret = "a\"b";
  const std::string path = testing::TempDir() + "gateway_config_misspelt.toml";
  ASSERT_TRUE(write_file(path, to_toml(config) + "\n[typo]\nport = 1\n").ok());
  const auto loaded = load_gateway_config(path);
  ASSERT_TRUE(loaded.failed_with(Errc::invalid));
  EXPECT_NE(loaded.error().context.find("typo.port"), std::string::npos);
}

}  // namespace
}  // namespace turbine::gatewayd
