// Puts a backup of the array's records into the cluster store of a manager that does not run.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/config_backup.hpp"
#include "managerd/manager_config.hpp"

namespace turbine::managerd {

struct RestoreOptions {
  std::vector<uint32_t> lost_blades;
  bool force = false;
};

/// Blocks; durable on return. Errors of cluster::restore_config; Errc::conflict: a manager has the
/// embedded store open; Errc::corrupt: the embedded store is damaged; errors of etcd.
Result<> restore_config(const ManagerConfig& config, cluster::ConfigBackup backup,
                        const RestoreOptions& options);

}  // namespace turbine::managerd
