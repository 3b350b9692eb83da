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

std::vector<admin::BladeReport> ManagerControl::reports() const {
  std::vector<admin::BladeReport> out;
  for (cluster::BladeNote& note : manager_.blade_notes()) {
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
  const cluster::MapPtr map = manager_.map();
  for (const proto::Blade& blade : map->record().blades()) {
    if (map->alive(BladeId(blade.id()))) addresses.insert(blade.address());
  }
  for (const cluster::GatewayNote& gateway : manager_.gateway_notes()) {
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
