#include "gatewayd/nfs_service.hpp"

#include <cstring>

#include "base/log.hpp"
#include "nfs/mount3.hpp"
#include "nfs/nlm4.hpp"
#include "nfs/nsm1.hpp"
#include "nfs/portmap2.hpp"
#include "nfs/rpcbind.hpp"

namespace turbine::gatewayd {
namespace {

/// Of the cluster map.
Result<std::vector<nfs::SipKey>> handle_keys(const proto::NfsSettings& settings) {
  std::vector<nfs::SipKey> keys;
  for (const std::string& bytes : settings.handle_keys()) {
    nfs::SipKey key;
    if (bytes.size() != key.size()) {
      return fail(Errc::corrupt, "a key of file handles has {} bytes, not {}", bytes.size(),
                  key.size());
    }
    std::memcpy(key.data(), bytes.data(), bytes.size());
    keys.push_back(key);
  }
  if (keys.empty() || settings.write_verifier() == 0) {
    return fail(Errc::unsupported,
                "the manager gave no key for NFS file handles: it is older than this gateway; "
                "update the managers first");
  }
  return keys;
}

std::string operation_name(const nfs::Program& program, const nfs::Procedure& procedure) {
  return fmt::format("{}{}.{}", program.name, program.version, procedure.name);
}

}  // namespace

NfsService::NfsService(fs::ArrayFileSystem& files, fs::Locks& locks, cluster::MapHolder& map,
                       Clock& clock, const GatewayConfig& config)
    : files_(files),
      map_(map),
      clock_(clock),
      config_(config),
      exports_(files, map, clock,
               {.in_use = [this] { return server_ && server_->connection_count() > 0; }}),
      lock_service_(locks, clock) {}

NfsService::~NfsService() = default;

Task<> NfsService::start() {
  const cluster::MapPtr map = map_.get();
  const proto::NfsSettings& settings = map->record().nfs();
  handles_.emplace(CO_TRY(handle_keys(settings)));
  env_.emplace(
      nfs::Environment{files_.files(), exports_, *handles_, clock_, settings.write_verifier(), {}});
  env_->ports = {{nfs::kNfsProgram, nfs::kNfsVersion, config_.nfs_port},
                 {nfs::kMountProgram, nfs::kMountVersion, config_.nfs_port},
                 {nfs::kNlmProgram, nfs::kNlmVersion, config_.nfs_port},
                 {nfs::kNsmProgram, nfs::kNsmVersion, config_.nfs_port},
                 {nfs::kNsmProgram, nfs::kNsmVersion, config_.nfs_port, nfs::kProtocolUdp}};
  env_->locks = &lock_service_;
  exports_.start();
  server_ = CO_TRY(listen(config_.nfs_port, {&nfs::nfs3_program(), &nfs::mount3_program(),
                                             &nfs::nlm4_program(), &nfs::nsm1_program()}));
  CO_TRY(listen_for_datagrams(nsm_datagrams_, config_.nfs_port, nfs::nsm1_program()));
  if (config_.portmap_port != 0) {
    env_->ports.push_back({nfs::kPortmapProgram, nfs::kPortmapVersion, config_.portmap_port});
    portmap_ = CO_TRY(listen(config_.portmap_port, {&nfs::portmap2_program()}));
    CO_TRY(listen_for_datagrams(portmap_datagrams_, config_.portmap_port, nfs::portmap2_program()));
  }
  if (config_.register_rpcbind) {
    CO_TRY(co_await nfs::register_with_rpcbind(clock_, nfs::kRpcbindSocket, config_.nfs_host,
                                               env_->ports));
    registered_ = true;
  }
  log::info("NFS, MOUNT and locks are served on {}:{}{}", config_.nfs_host, server_->port(),
            portmap_ ? fmt::format(", the port mapper on port {}", portmap_->port()) : "");
  co_return Result<>{};
}

Result<> NfsService::listen_for_datagrams(std::optional<nfs::DatagramServer>& server, uint16_t port,
                                          const nfs::Program& program) {
  nfs::DatagramServer::Options options;
  options.address = config_.nfs_host;
  options.port = port;
  options.share_port = config_.share_nfs_port;
  server.emplace(*env_, options, std::vector{&program});
  return server->start();
}

Result<std::unique_ptr<nfs::RpcServer>> NfsService::listen(
    uint16_t port, std::vector<const nfs::Program*> programs) {
  nfs::RpcServer::Options options;
  options.address = config_.nfs_host;
  options.port = port;
  options.share_port = config_.share_nfs_port;
  auto server = std::make_unique<nfs::RpcServer>(*env_, options, std::move(programs));
  TRY(server->start());
  return server;
}

Task<> NfsService::stop() {
  // Other gateways may go on at a shared port.
  if (registered_ && !config_.share_nfs_port) {
    const auto done = co_await nfs::unregister_from_rpcbind(clock_, nfs::kRpcbindSocket,
                                                            config_.nfs_host, env_->ports);
    if (!done.ok()) log::warn("nfs: rpcbind still has this gateway: {}", done.error().text());
  }
  if (portmap_datagrams_) CO_TRY(co_await portmap_datagrams_->stop());
  if (portmap_) CO_TRY(co_await portmap_->stop());
  if (nsm_datagrams_) CO_TRY(co_await nsm_datagrams_->stop());
  if (server_) CO_TRY(co_await server_->stop());
  CO_TRY(co_await lock_service_.stop());
  co_return co_await exports_.stop();
}

void NfsService::add_stats(proto::ProcessStatsReply& stats) const {
  if (!env_) return;
  for (const auto& [procedure, row] : env_->stats.all()) {
    const nfs::CallCounters& counters = row.counters;
    proto::OperationStats* operation = stats.add_operations();
    operation->set_name(operation_name(*row.program, *procedure));
    operation->set_count(counters.count);
    operation->set_errors(counters.errors);
    operation->set_bytes(counters.bytes);
    operation->set_p50_us(counters.latency.quantile_us(0.5));
    operation->set_p99_us(counters.latency.quantile_us(0.99));
  }
}

void NfsService::add_metrics(admin::MetricsText& text) const {
  if (!server_) return;
  text.gauge("turbine_nfs_connections", "Open client connections",
             static_cast<double>(server_->connection_count()));
  text.gauge("turbine_nfs_bytes_inflight", "Large arguments and replies in memory",
             static_cast<double>(server_->bytes_in_flight()));
}

}  // namespace turbine::gatewayd
