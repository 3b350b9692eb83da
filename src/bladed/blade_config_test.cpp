#include "bladed/blade_config.hpp"

#include <gtest/gtest.h>

#include "base/config_file.hpp"

namespace turbine::bladed {
namespace {

TEST(BladeConfig, ReadsBackWhatWasWritten) {
  BladeConfig config;
  config.blade_id = 3;
  config.incarnation = 0xfedcba9876543210;
  config.http_port = 9191;
  config.host = "chassis-2";
  config.tls = {"/cert.pem", "/key.pem", "/ca.pem"};
  const std::string path = testing::TempDir() + "blade_config_test.toml";
  ASSERT_TRUE(write_file(path, to_toml(config), 0600).ok());
  const auto loaded = load_blade_config(path);
  ASSERT_TRUE(loaded.ok()) << loaded.error().text();
  EXPECT_EQ(to_toml(*loaded), to_toml(config));
}

TEST(BladeConfig, NamesAMisspeltKey) {
  BladeConfig config;
  config.blade_id = 3;
  config.incarnation = 0xfedcba9876543210;
  config.http_port = 9191;
  const std::string path = testing::TempDir() + "blade_config_misspelt.toml";
  ASSERT_TRUE(write_file(path, to_toml(config) + "\n[typo]\nport = 1\n").ok());
  const auto loaded = load_blade_config(path);
  ASSERT_TRUE(loaded.failed_with(Errc::invalid));
  EXPECT_NE(loaded.error().context.find("typo.port"), std::string::npos);
}

}  // namespace
}  // namespace turbine::bladed
