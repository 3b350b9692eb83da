#include "managerd/manager_config.hpp"

#include <gtest/gtest.h>

#include "base/config_file.hpp"

namespace turbine::managerd {
namespace {

TEST(ManagerConfig, ReadsBackWhatWasWritten) {
  ManagerConfig config;
  config.directory = "/var/lib/turbine";
  config.admin_token = "token";
  config.expected_blades = 6;
  config.manager_addresses = "tcp:a:1,tcp:b:1";
  config.cluster_store = "etcds://a:2,b:2";
  config.store_ca_file = "/ca.pem";
  config.store_user = "turbine";
  config.store_password_file = "/password";
  const std::string path = testing::TempDir() + "manager_config_test.toml";
  ASSERT_TRUE(write_file(path, to_toml(config), 0600).ok());
  const auto loaded = load_manager_config(path);
  ASSERT_TRUE(loaded.ok()) << loaded.error().text();
  EXPECT_EQ(to_toml(*loaded), to_toml(config));
}

TEST(ManagerConfig, NamesAMisspeltKey) {
  ManagerConfig config;
  config.directory = "/var/lib/turbine";
  config.admin_token = "token";
  config.expected_blades = 6;
  const std::string path = testing::TempDir() + "manager_config_misspelt.toml";
  ASSERT_TRUE(write_file(path, to_toml(config) + "\n[typo]\nport = 1\n").ok());
  const auto loaded = load_manager_config(path);
  ASSERT_TRUE(loaded.failed_with(Errc::invalid));
  EXPECT_NE(loaded.error().context.find("typo.port"), std::string::npos);
}

TEST(ManagerConfig, WantsOneClusterStore) {
  ManagerConfig config;
  config.admin_token = "token";
  const std::string path = testing::TempDir() + "manager_config_no_store.toml";
  ASSERT_TRUE(write_file(path, to_toml(config)).ok());
  EXPECT_TRUE(load_manager_config(path).failed_with(Errc::invalid));
  config.cluster_store = "etcd://a:1";
  ASSERT_TRUE(write_file(path, to_toml(config)).ok());
  EXPECT_TRUE(load_manager_config(path).ok());
}

}  // namespace
}  // namespace turbine::managerd
