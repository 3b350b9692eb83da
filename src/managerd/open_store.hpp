// The cluster store that a manager's configuration names.
#pragma once

#include <memory>

#include "etcd/etcd_store.hpp"
#include "io/reactor.hpp"
#include "managerd/manager_config.hpp"

namespace turbine::managerd {

struct OpenedStore {
  std::unique_ptr<cluster::ClusterStore> store;
  etcd::EtcdStore* etcd = nullptr;  // store, when it is that: to be started and stopped
};

/// Blocks. Errc::invalid for addresses, certificates, the password's file; errors of
/// EmbeddedStore::open.
Result<OpenedStore> open_store(io::Reactor& reactor, const ManagerConfig& config);

}  // namespace turbine::managerd
