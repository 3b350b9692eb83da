#include "cluster/export_rules.hpp"

#include <gtest/gtest.h>

namespace turbine::cluster {
namespace {

bool matches(std::string_view pattern, const char* client) {
  const auto parsed = ClientPattern::parse(pattern);
  EXPECT_TRUE(parsed.ok()) << pattern;
  return parsed.ok() && parsed->matches(boost::asio::ip::make_address(client));
}
std::string canonical(std::string_view pattern) {
  const auto parsed = ClientPattern::parse(pattern);
  return parsed.ok() ? parsed->text() : "refused";
}
std::string reread(std::string_view rules) {
  const auto parsed = parse_export_rules(rules);
  if (!parsed.ok()) return "refused: " + parsed.error().context;
  std::string text;
  for (const auto& rule : *parsed) text += (text.empty() ? "" : " ") + export_rule_text(rule);
  return text;
}

TEST(ClientPattern, MatchesNetworksToTheBit) {
  EXPECT_TRUE(matches("*", "1.2.3.4"));
  EXPECT_TRUE(matches("*", "fd00::1"));
  EXPECT_TRUE(matches("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(matches("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(matches("10.1.2.0/23", "10.1.3.255"));
  EXPECT_FALSE(matches("10.1.2.0/23", "10.1.4.0"));
  EXPECT_TRUE(matches("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(matches("10.1.2.3", "10.1.2.2"));
  EXPECT_TRUE(matches("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(matches("0.0.0.0/0", "::1")) << "IPv4 and IPv6 never match each other";
  EXPECT_FALSE(matches("::/0", "127.0.0.1"));
  EXPECT_TRUE(matches("fd00:1::/33", "fd00:1:7fff::1"));
  EXPECT_FALSE(matches("fd00:1::/33", "fd00:1:8000::1"));
}

TEST(ClientPattern, HasOneForm) {
  EXPECT_EQ(canonical("10.1.2.3/8"), "10.0.0.0/8");
  EXPECT_EQ(canonical("10.1.2.255/25"), "10.1.2.128/25");
  EXPECT_EQ(canonical("10.1.2.3/32"), "10.1.2.3");
  EXPECT_EQ(canonical("FD00:0::1/16"), "fd00::/16");
  EXPECT_EQ(canonical("::1"), "::1");
  EXPECT_EQ(canonical("*"), "*");
}

TEST(ClientPattern, RefusesWhatIsNoAddress) {
  for (const char* bad :
       {"", "host.example", "@group", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/x",
        "10.0.0.0/-1", "::1/129", "::ffff:10.0.0.1", "fe80::1%lo", "10.0.0.0/8/8", "**"}) {
    EXPECT_EQ(canonical(bad), "refused") << bad;
  }
}

TEST(ExportRules, HaveTheDefaultsOfExports5) {
  EXPECT_EQ(reread("10.0.0.0/8"), "10.0.0.0/8(ro,root_squash,anonuid=65534,anongid=65534,secure)");
  EXPECT_EQ(reread("10.0.0.0/8()"), reread("10.0.0.0/8"));
  EXPECT_EQ(reread("  "), "");
  EXPECT_EQ(reread("10.0.0.0/8(rw,sync,no_subtree_check)"), reread("10.0.0.0/8(rw)"));
}

TEST(ExportRules, KeepTheirOrderAndOptions) {
  const std::string text =
      "10.0.0.7(rw,no_root_squash,anonuid=1,anongid=2,insecure) "
      "*(ro,all_squash,anonuid=4294967295,anongid=0,secure)";
  EXPECT_EQ(reread(text), text);
  EXPECT_EQ(reread("10.0.0.7(rw)\n\t*"), reread("10.0.0.7(rw) *"));
  EXPECT_EQ(reread("*(rw,ro)"), reread("*(ro)")) << "the last one counts";
}

TEST(ExportRules, SayWhatIsWrong) {
  for (const char* bad : {"*(rw", "*(rw, ro)", "*(wr)", "*(anonuid=)", "*(anonuid=-2)",
                          "*(anongid=4294967296)", "(rw)", "*(rw)x", "host(rw)"}) {
    EXPECT_TRUE(parse_export_rules(bad).failed_with(Errc::invalid)) << bad;
  }
  EXPECT_NE(reread("*(wr)").find("no option wr"), std::string::npos);
  std::string many;
  for (int i = 0; i <= kExportRulesMax; ++i) many += " *";
  EXPECT_TRUE(parse_export_rules(many).failed_with(Errc::invalid));
  EXPECT_TRUE(parse_export_rules(many.substr(2)).ok());
}

TEST(ExportRules, NamesOfPoliciesAreThoseOfExports) {
  for (const char* good : {"/", "*", "/photos", "/With Space", "/..."}) {
    EXPECT_TRUE(check_policy_name(good).ok()) << good;
  }
  for (const char* bad : {"", "photos", "//", "/a/b", "/photos/", "/.", "/..", "**"}) {
    EXPECT_TRUE(check_policy_name(bad).failed_with(Errc::invalid)) << bad;
  }
  EXPECT_TRUE(check_policy_name("/" + std::string(255, 'x')).ok());
  EXPECT_FALSE(check_policy_name("/" + std::string(256, 'x')).ok());
}

TEST(ExportRules, TheFirstMatchOfTheOwnPolicyDecides) {
  proto::NfsSettings settings;
  export_to_loopback(settings);
  proto::NfsExportPolicy& own = *settings.add_policies();
  own.set_name("/photos");
  for (auto& rule : parse_export_rules("10.0.0.7(ro) 10.0.0.0/8(rw)").value()) {
    *own.add_rules() = rule;
  }
  const auto decides = [&](const char* path, const char* client) {
    const proto::NfsExportPolicy* policy = policy_of(settings, path);
    if (policy == nullptr) return std::string("no policy");
    const auto rule = deciding_rule(*policy, boost::asio::ip::make_address(client));
    return rule ? policy->rules(*rule).client() : std::string("nobody");
  };
  EXPECT_EQ(decides("/photos", "10.0.0.7"), "10.0.0.7");
  EXPECT_EQ(decides("/photos", "10.0.0.8"), "10.0.0.0/8");
  EXPECT_EQ(decides("/photos", "127.0.0.1"), "nobody") << "its own rules, not the default's";
  EXPECT_EQ(decides("/other", "127.1.2.3"), "127.0.0.0/8");
  EXPECT_EQ(decides("/other", "::1"), "::1");
  EXPECT_EQ(decides("/other", "10.0.0.8"), "nobody");
  EXPECT_EQ(decides("/", "127.0.0.1"), "127.0.0.0/8");
}

TEST(ExportRules, TheArrayAsAWholeHasItsOwnPolicyOrNone) {
  proto::NfsSettings settings;
  settings.add_policies()->set_name("*");
  EXPECT_NE(policy_of(settings, "/photos"), nullptr);
  EXPECT_EQ(policy_of(settings, "/"), nullptr);
  settings.clear_policies();
  EXPECT_EQ(policy_of(settings, "/photos"), nullptr);
}

}  // namespace
}  // namespace turbine::cluster
