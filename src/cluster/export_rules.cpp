#include "cluster/export_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace turbine::cluster {
namespace {

namespace ip = boost::asio::ip;

constexpr std::string_view kEverybody = "*";
constexpr std::string_view kWhiteSpace = " \t\r\n";
constexpr std::string_view kKnownOptions =
    "rw, ro, root_squash, no_root_squash, all_squash, anonuid=N, anongid=N, secure, insecure";
constexpr size_t kNameBytesMax = 255;

std::optional<uint32_t> parse_number(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <size_t kBytes>
bool same_prefix(const std::array<unsigned char, kBytes>& a,
                 const std::array<unsigned char, kBytes>& b, unsigned bits) {
  const size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  if (bits % 8 == 0) return true;
  return ((a[whole] ^ b[whole]) >> (8 - bits % 8)) == 0;
}

template <size_t kBytes>
std::array<unsigned char, kBytes> masked(std::array<unsigned char, kBytes> bytes, unsigned bits) {
  for (size_t i = 0; i < kBytes; ++i) {
    const size_t kept = std::min<size_t>(bits > i * 8 ? bits - i * 8 : 0, 8);
    bytes[i] &= static_cast<unsigned char>(0xFF00U >> kept);
  }
  return bytes;
}

Result<> apply_option(proto::NfsExportRule& rule, std::string_view option) {
  const auto number = [&](std::string_view name) -> Result<uint32_t> {
    const auto value = parse_number(option.substr(name.size()));
    if (!value) return fail(Errc::invalid, "{}: wants a number of 0 to 4294967295", option);
    return *value;
  };
  if (option == "rw" || option == "ro") {
    rule.set_read_write(option == "rw");
  } else if (option == "root_squash") {
    rule.set_squash(proto::NFS_SQUASH_ROOT);
  } else if (option == "no_root_squash") {
    rule.set_squash(proto::NFS_SQUASH_NONE);
  } else if (option == "all_squash") {
    rule.set_squash(proto::NFS_SQUASH_ALL);
  } else if (option == "secure" || option == "insecure") {
    rule.set_insecure(option == "insecure");
  } else if (option.starts_with("anonuid=")) {
    rule.set_anonymous_uid(TRY(number("anonuid=")));
  } else if (option.starts_with("anongid=")) {
    rule.set_anonymous_gid(TRY(number("anongid=")));
  } else if (option != "sync" && option != "no_subtree_check") {
    return fail(Errc::invalid, "there is no option {}; known are {}", option, kKnownOptions);
  }
  return {};
}

/// "10.0.0.0/8(rw,secure)" or "10.0.0.0/8".
Result<proto::NfsExportRule> parse_rule(std::string_view text) {
  proto::NfsExportRule rule;
  rule.set_anonymous_uid(kAnonymousId);
  rule.set_anonymous_gid(kAnonymousId);
  const size_t open = std::min(text.find('('), text.size());
  rule.set_client(TRY(ClientPattern::parse(text.substr(0, open))).text());
  if (open == text.size()) return rule;
  if (!text.ends_with(')')) {
    return fail(Errc::invalid, "{}: options stand in one pair of parentheses, without spaces",
                text);
  }
  std::string_view options = text.substr(open + 1, text.size() - open - 2);
  while (!options.empty()) {
    const size_t comma = std::min(options.find(','), options.size());
    TRY(apply_option(rule, options.substr(0, comma)));
    options.remove_prefix(std::min(comma + 1, options.size()));
  }
  return rule;
}

proto::NfsExportRule loopback_rule(const char* client) {
  proto::NfsExportRule rule;
  rule.set_client(client);
  rule.set_read_write(true);
  rule.set_squash(proto::NFS_SQUASH_ROOT);
  rule.set_anonymous_uid(kAnonymousId);
  rule.set_anonymous_gid(kAnonymousId);
  rule.set_insecure(true);
  return rule;
}

const proto::NfsExportPolicy* find_policy(const proto::NfsSettings& settings,
                                          std::string_view name) {
  const auto found = std::ranges::find(settings.policies(), name, &proto::NfsExportPolicy::name);
  return found == settings.policies().end() ? nullptr : &*found;
}

}  // namespace

Result<ClientPattern> ClientPattern::parse(std::string_view text) {
  ClientPattern pattern;
  if (text == kEverybody) return pattern;
  const size_t slash = std::min(text.find('/'), text.size());
  boost::system::error_code error;
  const ip::address address = ip::make_address(std::string(text.substr(0, slash)), error);
  if (error || (address.is_v6() && address.to_v6().scope_id() != 0)) {
    return fail(Errc::invalid,
                "client '{}' is not an address, a network such as 10.0.0.0/8, or * for everybody "
                "(names of hosts are not looked up)",
                text);
  }
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return fail(Errc::invalid, "client '{}': write the IPv4 address", text);
  }
  const unsigned bits_max = address.is_v4() ? 32 : 128;
  pattern.prefix_bits_ = bits_max;
  if (slash < text.size()) {
    const auto bits = parse_number(text.substr(slash + 1));
    if (!bits || *bits > bits_max) {
      return fail(Errc::invalid, "client '{}': the prefix is a number of 0 to {}", text, bits_max);
    }
    pattern.prefix_bits_ = *bits;
  }
  if (address.is_v4()) {
    pattern.network_ = ip::address_v4(masked(address.to_v4().to_bytes(), pattern.prefix_bits_));
  } else {
    pattern.network_ = ip::address_v6(masked(address.to_v6().to_bytes(), pattern.prefix_bits_));
  }
  return pattern;
}

bool ClientPattern::matches(const ip::address& client) const {
  if (!network_) return true;
  if (network_->is_v4() != client.is_v4()) return false;
  if (client.is_v4()) {
    return same_prefix(network_->to_v4().to_bytes(), client.to_v4().to_bytes(), prefix_bits_);
  }
  return same_prefix(network_->to_v6().to_bytes(), client.to_v6().to_bytes(), prefix_bits_);
}

std::string ClientPattern::text() const {
  if (!network_) return std::string(kEverybody);
  if (prefix_bits_ == (network_->is_v4() ? 32 : 128)) return network_->to_string();
  return fmt::format("{}/{}", network_->to_string(), prefix_bits_);
}

Result<std::vector<proto::NfsExportRule>> parse_export_rules(std::string_view text) {
  std::vector<proto::NfsExportRule> rules;
  while (true) {
    const size_t begin = text.find_first_not_of(kWhiteSpace);
    if (begin == std::string_view::npos) return rules;
    text.remove_prefix(begin);
    const size_t end = std::min(text.find_first_of(kWhiteSpace), text.size());
    rules.push_back(TRY(parse_rule(text.substr(0, end))));
    text.remove_prefix(end);
    if (rules.size() > kExportRulesMax) {
      return fail(Errc::invalid, "a policy has at most {} rules", kExportRulesMax);
    }
  }
}

std::string export_rule_text(const proto::NfsExportRule& rule) {
  const auto squash = [&] {
    switch (rule.squash()) {
      case proto::NFS_SQUASH_NONE:
        return "no_root_squash";
      case proto::NFS_SQUASH_ALL:
        return "all_squash";
      default:
        return "root_squash";
    }
  };
  return fmt::format("{}({},{},anonuid={},anongid={},{})", rule.client(),
                     rule.read_write() ? "rw" : "ro", squash(), rule.anonymous_uid(),
                     rule.anonymous_gid(), rule.insecure() ? "insecure" : "secure");
}

Result<> check_policy_name(std::string_view name) {
  if (name == kArrayExport || name == kDefaultPolicy) return {};
  const std::string_view bucket = name.substr(std::min<size_t>(1, name.size()));
  const bool sound = name.starts_with('/') && !bucket.empty() && bucket.size() <= kNameBytesMax &&
                     bucket != "." && bucket != ".." && !bucket.contains('/') &&
                     !bucket.contains('\0');
  if (sound) return {};
  return fail(Errc::invalid,
              "'{}' is no export: they are /BUCKET, / (all buckets as directories) and * (the "
              "default of buckets)",
              name);
}

const proto::NfsExportPolicy* policy_of(const proto::NfsSettings& settings,
                                        std::string_view export_path) {
  const proto::NfsExportPolicy* own = find_policy(settings, export_path);
  if (own != nullptr || export_path == kArrayExport) return own;
  return find_policy(settings, kDefaultPolicy);
}

std::optional<int> deciding_rule(const proto::NfsExportPolicy& policy, const ip::address& client) {
  for (int i = 0; i < policy.rules_size(); ++i) {
    const auto pattern = ClientPattern::parse(policy.rules(i).client());
    if (pattern.ok() && pattern->matches(client)) return i;
  }
  return std::nullopt;
}

void export_to_loopback(proto::NfsSettings& settings) {
  for (const std::string_view name : {kArrayExport, kDefaultPolicy}) {
    proto::NfsExportPolicy& policy = *settings.add_policies();
    policy.set_name(std::string(name));
    *policy.add_rules() = loopback_rule("127.0.0.0/8");
    *policy.add_rules() = loopback_rule("::1");
  }
}

}  // namespace turbine::cluster
