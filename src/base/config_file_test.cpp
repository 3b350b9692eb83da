#include "base/config_file.hpp"

#include <gtest/gtest.h>

namespace turbine {
namespace {

TEST(ConfigFile, ReadsBackWhatConfigTextWrote) {
  ConfigText out("written by a test");
  out.set("admin.token", "a\"b\\c\n");
  out.set("name", "blade-1");
  out.set("admin.port", 9090);
  out.set_flag("admin.tls", true);
  ConfigFile file = *ConfigFile::parse(out.text(), "x.toml");
  EXPECT_EQ(*file.text("name"), "blade-1");
  EXPECT_EQ(*file.text("admin.token"), "a\"b\\c\n");
  EXPECT_EQ(*file.number("admin.port"), 9090u);
  EXPECT_TRUE(*file.flag_or("admin.tls", false));
  EXPECT_TRUE(file.finish().ok());
}

TEST(ConfigFile, NamesFileAndKeyOfEachMistake) {
  ConfigFile file = *ConfigFile::parse("port = \"x\"\nprot = 1\n", "x.toml");
  EXPECT_EQ(file.number("port").error().context, "x.toml: port must be a whole number ≥ 0");
  EXPECT_EQ(file.text("name").error().context, "x.toml: name is missing");
  EXPECT_EQ(file.finish().error().context, "x.toml: prot is not a setting of this process");
}

TEST(ConfigFile, RefusesWhatIsNotToml) {
  auto file = ConfigFile::parse("a = 1\nb = \n", "x.toml");
  ASSERT_TRUE(file.failed_with(Errc::invalid));
  EXPECT_NE(file.error().context.find("x.toml:2"), std::string::npos) << file.error().context;
  EXPECT_TRUE(ConfigFile::parse("a = [1]", "x.toml").failed_with(Errc::invalid));
  EXPECT_TRUE(ConfigFile::load("/nonexistent/x.toml").failed_with(Errc::not_found));
}

}  // namespace
}  // namespace turbine
