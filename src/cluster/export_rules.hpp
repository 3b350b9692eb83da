// Rules of NFS exports: who may mount what, and as whom; written as in exports(5).
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "proto/cluster.pb.h"

namespace turbine::cluster {

/// Policies have the name of their export: "/photos" for a bucket, or one of these.
inline constexpr std::string_view kArrayExport = "/";    // the directory of all buckets
inline constexpr std::string_view kDefaultPolicy = "*";  // of buckets without their own policy
inline constexpr uint32_t kAnonymousId = 65534;          // user and group, unless a rule says else
inline constexpr int kExportRulesMax = 64;               // of one policy
inline constexpr int kExportPoliciesMax = 10'000;

/// Everybody ("*"), one address, or a network ("10.0.0.0/8", "fd00::/8").
class ClientPattern {
 public:
  /// Errc::invalid: neither of them; names of hosts and netgroups are not known.
  static Result<ClientPattern> parse(std::string_view text);
  /// IPv4 addresses never in their IPv6 form.
  bool matches(const boost::asio::ip::address& client) const;
  /// In one form only: "10.1.2.3/8" is "10.0.0.0/8".
  std::string text() const;

 private:
  std::optional<boost::asio::ip::address> network_;  // empty: everybody
  unsigned prefix_bits_ = 0;
};

/// "10.0.0.0/8(rw,no_root_squash) *(ro)": rules in their order, white space between. Options are
/// rw, ro; root_squash, no_root_squash, all_squash; anonuid=N, anongid=N; secure, insecure. Those
/// not given are ro, root_squash, 65534, secure. `sync` and `no_subtree_check`, which describe what
/// always holds, may be there. Errc::invalid.
Result<std::vector<proto::NfsExportRule>> parse_export_rules(std::string_view text);
/// The rule as parse_export_rules() reads it, each option written out.
std::string export_rule_text(const proto::NfsExportRule& rule);

/// Errc::invalid: not the name of a policy.
Result<> check_policy_name(std::string_view name);

/// The policy that decides about an export: its own, or the default one for a bucket. `/` has its
/// own or none, since whoever mounts it reaches every bucket. Null: exported to nobody.
const proto::NfsExportPolicy* policy_of(const proto::NfsSettings& settings,
                                        std::string_view export_path);
/// The index of the first rule that matches; empty: none, the client may not.
std::optional<int> deciding_rule(const proto::NfsExportPolicy& policy,
                                 const boost::asio::ip::address& client);

/// `/` and every bucket for clients on this machine alone: what a new array begins with.
void export_to_loopback(proto::NfsSettings& settings);

}  // namespace turbine::cluster
