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
  config.replicas = 3;
  config.tls = {"/cert.pem", "/key.pem", "/ca.pem"};
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

TEST(ManagerConfig, TakesOneToThreeReplicasAndThreeWhenNothingIsSaid) {
  const std::string path = testing::TempDir() + "manager_config_replicas.toml";
  ManagerConfig config;
  config.directory = "/var/lib/turbine";
  config.admin_token = "token";
  const std::string text = to_toml(config);
  const std::string line = "replicas = 3\n";
  const size_t at = text.find(line);
  ASSERT_NE(at, std::string::npos);
  const auto load = [&](const std::string& instead) {
    std::string changed = text;
    changed.replace(at, line.size(), instead);
    EXPECT_TRUE(write_file(path, changed, 0600).ok());
    return load_manager_config(path);
  };
  EXPECT_EQ(load("").value().replicas, 3U);
  EXPECT_EQ(load("replicas = 1\n").value().replicas, 1U);
  for (const char* bad : {"replicas = 0\n", "replicas = 4\n", "replicas = 4294967297\n"}) {
    const auto refused = load(bad);
    ASSERT_TRUE(refused.failed_with(Errc::invalid)) << bad;
    EXPECT_NE(refused.error().context.find("array.replicas"), std::string::npos);
  }
}

}  // namespace
}  // namespace turbine::managerd
