// NfsService: a gateway's NFS: exports, handles and the listeners around nfs and the files.
#pragma once

#include <memory>
#include <optional>

#include "admin/metrics_text.hpp"
#include "cluster/cluster_map.hpp"
#include "fs/file_system.hpp"
#include "fs/locks.hpp"
#include "gatewayd/gateway_config.hpp"
#include "nfs/array_exports.hpp"
#include "nfs/datagram_server.hpp"
#include "nfs/lock_service.hpp"
#include "nfs/server.hpp"

namespace turbine::gatewayd {

/// One reactor thread. start() once, stop() before the destruction; all references outlive it.
class NfsService {
 public:
  NfsService(fs::ArrayFileSystem& files, fs::Locks& locks, cluster::MapHolder& map, Clock& clock,
             const GatewayConfig& config);
  ~NfsService();

  /// Listens. Errc::unsupported: the map has no key for handles; Errc::exists: a port is taken.
  Task<> start();
  /// Ends the listeners; calls in flight are answered.
  Task<> stop();

  void add_stats(proto::ProcessStatsReply& stats) const;
  void add_metrics(admin::MetricsText& text) const;

 private:
  Result<> listen_for_datagrams(std::optional<nfs::DatagramServer>& server, uint16_t port,
                                const nfs::Program& program);
  Result<std::unique_ptr<nfs::RpcServer>> listen(uint16_t port,
                                                 std::vector<const nfs::Program*> programs);

  fs::ArrayFileSystem& files_;
  cluster::MapHolder& map_;
  Clock& clock_;
  const GatewayConfig& config_;
  std::optional<nfs::HandleCodec> handles_;
  nfs::ArrayExports exports_;
  nfs::LockService lock_service_;
  std::optional<nfs::Environment> env_;
  std::unique_ptr<nfs::RpcServer> server_, portmap_;
  std::optional<nfs::DatagramServer> portmap_datagrams_, nsm_datagrams_;
  bool registered_ = false;
};

}  // namespace turbine::gatewayd
