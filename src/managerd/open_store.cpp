#include "managerd/open_store.hpp"

#include "base/config_file.hpp"
#include "cluster/embedded_store.hpp"

namespace turbine::managerd {
namespace {

Result<OpenedStore> open_etcd(io::Reactor& reactor, const ManagerConfig& config) {
  etcd::EtcdOptions options;
  options.endpoints = TRY(etcd::parse_endpoints(config.cluster_store));
  options.prefix = fmt::format("/turbine/{}/", config.array_id);
  options.ca_file = config.store_ca_file;
  options.cert_file = config.store_cert_file;
  options.key_file = config.store_key_file;
  options.user = config.store_user;
  if (!config.store_password_file.empty()) {
    options.password = TRY(read_file(config.store_password_file));
    while (options.password.ends_with('\n')) options.password.pop_back();
  }
  auto store = TRY(etcd::EtcdStore::make(reactor.clock(), std::move(options)));
  OpenedStore opened;
  opened.etcd = store.get();
  opened.store = std::move(store);
  return opened;
}

}  // namespace

Result<OpenedStore> open_store(io::Reactor& reactor, const ManagerConfig& config) {
  if (!config.cluster_store.empty()) return open_etcd(reactor, config);
  OpenedStore opened;
  opened.store =
      TRY(cluster::EmbeddedStore::open(config.directory, reactor.executor(), reactor.pool()));
  return opened;
}

}  // namespace turbine::managerd
