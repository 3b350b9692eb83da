#include "managerd/config_restore.hpp"

#include "managerd/open_store.hpp"

namespace turbine::managerd {
namespace {

Task<> restore_started(OpenedStore* opened, cluster::ConfigBackup backup,
                       cluster::RestoreOrder order) {
  if (opened->etcd != nullptr) CO_TRY(co_await opened->etcd->start());
  co_return co_await cluster::restore_config(*opened->store, std::move(backup), std::move(order));
}

Task<> restore_into(OpenedStore* opened, cluster::ConfigBackup backup,
                    cluster::RestoreOrder order) {
  Result<> restored = co_await restore_started(opened, std::move(backup), std::move(order));
  if (opened->etcd != nullptr) CO_TRY(co_await opened->etcd->stop());
  co_return restored;
}

}  // namespace

Result<> restore_config(const ManagerConfig& config, cluster::ConfigBackup backup,
                        const RestoreOptions& options) {
  io::Reactor reactor;
  auto opened = open_store(reactor, config);
  if (opened.failed_with(Errc::exists)) {
    return fail(Errc::conflict, "a manager has the cluster store {} open: stop it first",
                config.directory);
  }
  if (opened.failed_with(Errc::corrupt)) {
    return fail(Errc::corrupt, "{}; move {} away, then restore into a new one",
                opened.error().context, config.directory);
  }
  OpenedStore store = TRY(std::move(opened));
  cluster::RestoreOrder order;
  order.array_id = config.array_id;
  order.now_ms = static_cast<uint64_t>(reactor.clock().wall_now().ns / 1'000'000);
  order.lost_blades = options.lost_blades;
  order.force = options.force;
  return reactor.run(restore_into(&store, std::move(backup), std::move(order)));
}

}  // namespace turbine::managerd
