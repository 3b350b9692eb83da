#include "managerd/manager_config.hpp"

#include <gtest/gtest.h>

#include "base/config_file.hpp"

namespace turbine::managerd {
namespace {

TEST(ManagerConfig, ReadsBackWhatWasWritten) {
  ManagerConfig config;
  config.admin_token = "token";
  config.expected_blades = 6;
  const std::string path = testing::TempDir() + "manager_config_test.toml";
  ASSERT_TRUE(write_file(path, to_toml(config), 0600).ok());
  const auto loaded = load_manager_config(path);
  ASSERT_TRUE(loaded.ok()) << loaded.error().text();
  EXPECT_EQ(to_toml(*loaded), to_toml(config));
}

TEST(ManagerConfig, NamesAMisspeltKey) {
  ManagerConfig config;
  config.admin_token = "token";
  config.expected_blades = 6;
  const std::string path = testing::TempDir() + "manager_config_misspelt.toml";
  ASSERT_TRUE(write_file(path, to_toml(config) + "\n[typo]\nport = 1\n").ok());
  const auto loaded = load_manager_config(path);
  ASSERT_TRUE(loaded.failed_with(Errc::invalid));
  EXPECT_NE(loaded.error().context.find("typo.port"), std::string::npos);
}

}  // namespace
}  // namespace turbine::managerd
