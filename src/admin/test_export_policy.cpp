#include <boost/json.hpp>

#include "admin/export_policy_json.hpp"
#include "admin/operations.hpp"
#include "cluster/export_rules.hpp"

namespace turbine::admin {
namespace {

namespace ip = boost::asio::ip;

Result<ip::address> client_of(const HttpRequest& request) {
  const std::string text(request.parameter("client"));
  boost::system::error_code error;
  const ip::address address = ip::make_address(text, error);
  if (error) return fail(Errc::invalid, "client={} is not an address", text);
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  }
  return address;
}

}  // namespace

/// Which rule decides about a client, and what it grants; by the code that gateways use.
Task<HttpResponse> test_export_policy(ArrayControl& array, HttpRequest request) {
  const std::string name = CO_TRY(required_name(request));
  CO_TRY(cluster::check_policy_name(name));
  if (name == cluster::kDefaultPolicy) {
    co_return fail(Errc::invalid, "{} is the default of buckets, not an export to be mounted",
                   name);
  }
  const ip::address client = CO_TRY(client_of(request));
  const cluster::MapPtr map = array.map();
  const proto::NfsExportPolicy* policy = cluster::policy_of(map->record().nfs(), name);
  const bool own = policy != nullptr && policy->name() == name;
  if (!own && name != cluster::kArrayExport) {  // perhaps it is no bucket, but misspelt
    fs::FileSystem& files = *CO_TRY(array.files());
    CO_TRY(co_await files.bucket(files.begin(0), name.substr(1)));
  }
  const auto rule = policy == nullptr ? std::nullopt : cluster::deciding_rule(*policy, client);
  boost::json::object item;
  item["name"] = name;
  item["client"] = client.to_string();
  item["policy"] = nullptr;
  item["rule"] = nullptr;
  item["number"] = nullptr;
  if (policy != nullptr) item["policy"] = policy->name();
  if (rule) {
    item["rule"] = export_rule_json(policy->rules(*rule));
    item["number"] = *rule + 1;
  }
  item["allowed"] = rule.has_value();
  co_return item_answer(std::move(item));
}

}  // namespace turbine::admin
