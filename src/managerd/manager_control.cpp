#include "managerd/manager_control.hpp"

#include <set>

#include "admin/metrics_text.hpp"
#include "base/async.hpp"
#include "proto/rpc.pb.h"
#include "rpc/typed.hpp"

namespace turbine::managerd {

namespace {

constexpr auto kStatsPatience = std::chrono::seconds(2);

}  // namespace

// The API is served only while there is a manager (routes ask for standby() and map() first).

cluster::MapPtr ManagerControl::map() const {
  const auto manager = host_.manager();
  return manager != nullptr ? manager->map_with_usage() : nullptr;
}

Task<proto::User> ManagerControl::create_user(std::string name) {
  const auto manager = host_.manager();
  co_return co_await manager->create_user(std::move(name));
}

Task<> ManagerControl::delete_user(std::string name) {
  const auto manager = host_.manager();
  co_return co_await manager->delete_user(std::move(name));
}

Task<proto::AccessKey> ManagerControl::create_key(std::string user_name) {
  const auto manager = host_.manager();
  co_return co_await manager->create_key(std::move(user_name));
}

Task<> ManagerControl::delete_key(std::string access_key) {
  const auto manager = host_.manager();
  co_return co_await manager->delete_key(std::move(access_key));
}

Task<> ManagerControl::set_export_policy(proto::NfsExportPolicy policy) {
  const auto manager = host_.manager();
  co_return co_await manager->set_export_policy(std::move(policy));
}

Task<> ManagerControl::delete_export_policy(std::string name) {
  const auto manager = host_.manager();
  co_return co_await manager->delete_export_policy(std::move(name));
}

Task<> ManagerControl::set_bucket_quota(InodeId bucket, std::optional<uint64_t> bytes,
                                        std::vector<InodeId> buckets) {
  const auto manager = host_.manager();
  co_return co_await manager->set_bucket_quota(bucket, bytes, std::move(buckets));
}

std::vector<std::string> ManagerControl::nfs_addresses() const {
  std::set<std::string> addresses;
  for (const cluster::GatewayNote& gateway : host_.manager()->gateway_notes()) {
    if (!gateway.nfs_address.empty()) addresses.insert(gateway.nfs_address);
  }
  return {addresses.begin(), addresses.end()};
}

Task<std::string> ManagerControl::config_backup() {
  const auto manager = host_.manager();
  co_return co_await manager->config_backup();
}

std::vector<admin::BladeReport> ManagerControl::reports() const {
  std::vector<admin::BladeReport> out;
  for (cluster::BladeNote& note : host_.manager()->blade_notes()) {
    const auto age = clock_.now() - note.arrived;
    out.push_back({note.blade, age / std::chrono::milliseconds(1), std::move(note.heartbeat)});
  }
  return out;
}

Result<fs::FileSystem*> ManagerControl::files() {
  if (files_ == nullptr) {
    return fail(Errc::unavailable, "not all blades have registered yet, so there are no buckets");
  }
  return files_;
}

Task<proto::ProcessStatsReply> ManagerControl::ask_stats(rpc::Address address) {
  rpc::CallOptions options;
  options.deadline = clock_.now() + kStatsPatience;
  auto reply = CO_TRY(co_await rpc::call<proto::ProcessStatsReply>(
      transport_.channel(address), proto::PROCESS_STATS, proto::ProcessStatsRequest(), Buffer(),
      options));
  co_return std::move(reply.body);
}

Task<std::vector<proto::ProcessStatsReply>> ManagerControl::process_stats() {
  std::set<rpc::Address> addresses;
  const auto manager = host_.manager();
  const cluster::MapPtr map = manager->map();
  for (const proto::Blade& blade : map->record().blades()) {
    if (map->alive(BladeId(blade.id()))) addresses.insert(blade.address());
  }
  for (const cluster::GatewayNote& gateway : manager->gateway_notes()) {
    if (!gateway.address.empty()) addresses.insert(gateway.address);
  }
  std::vector<Task<proto::ProcessStatsReply>> asked;
  asked.reserve(addresses.size());
  for (const rpc::Address& address : addresses) asked.push_back(ask_stats(address));
  std::vector<proto::ProcessStatsReply> out;
  out.push_back(admin::own_process_stats("manager"));
  for (auto& answer : co_await when_all(std::move(asked))) {
    if (answer.ok()) out.push_back(std::move(*answer));
  }
  co_return out;
}

}  // namespace turbine::managerd
