// EtcdStore: the cluster store in etcd (3.4 or newer), for arrays with several managers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "cluster/cluster_store.hpp"
#include "etcd/client.hpp"

namespace turbine::etcd {

/// Records are etcd's keys below the options' prefix, revisions its mod_revisions. Reads are
/// linearizable. txn() returns when etcd has it on disk at a majority. Start first; stop() before
/// destruction. Besides the errors of ClusterStore: Errc::denied for user, password or permission,
/// Errc::too_large and Errc::no_space of etcd's limits (1.5 MiB a transaction, 2 GiB in all).
class EtcdStore final : public cluster::ClusterStore {
 public:
  /// Errc::invalid names a certificate file that can't be used.
  static Result<std::unique_ptr<EtcdStore>> make(Clock& clock, EtcdOptions options);
  ~EtcdStore() override = default;

  /// Asks etcd once, so that wrong addresses and passwords show at the start. Takes as long as etcd
  /// does to check the password.
  Task<> start();
  /// Ends calls with Errc::closed, and the watches.
  Task<> stop();

  Task<std::optional<cluster::StoreRecord>> get(std::string key) override;
  Task<std::vector<cluster::StoreRecord>> list(std::string prefix) override;
  Task<uint64_t> txn(std::vector<cluster::StoreCompare> compares,
                     std::vector<cluster::StorePut> puts) override;
  /// Also tells of other clients' transactions; over lost connections and restarts of etcd none is
  /// missed (of those in a compacted part, only the last is told).
  void watch(std::string prefix, std::function<void(uint64_t revision)> observer) override;

  /// A lease that ends `ttl` (whole seconds) after its last keep_alive(). Returns its id.
  Task<std::string> grant_lease(std::chrono::seconds ttl);
  /// Returns the time it lives on from now; zero when it has ended.
  Task<std::chrono::seconds> keep_alive(std::string lease, TimePoint deadline);
  /// Its records go with it. No error when it has ended already.
  Task<> revoke_lease(std::string lease);
  /// Puts a record that lives as long as the lease, if there is no such record. Errors of txn().
  Task<uint64_t> put_leased(std::string key, std::string value, std::string lease);

  /// Sleeps, but not past stop().
  Task<> pause(Duration duration) { return client_.pause(duration); }

 private:
  struct Watch {
    std::string prefix;
    std::function<void(uint64_t)> observer;
    uint64_t next_revision = 1;  // the first not yet told
  };

  EtcdStore(Clock& clock, EtcdOptions options, TlsContextPtr tls);
  Task<uint64_t> commit(json::object request, std::string what);
  Task<std::vector<cluster::StoreRecord>> range(json::object request);
  Task<> follow_for_ever(std::shared_ptr<Watch> watch);
  Task<> follow(std::shared_ptr<Watch> watch);
  Task<bool> take_line(std::shared_ptr<Watch> watch, std::string line);
  void saw(const json::object& answer);
  std::string etcd_key(const std::string& key) const;

  Clock& clock_;
  Client client_;
  Gate gate_;
  uint64_t revision_ = 0;  // the newest that was seen
  bool started_ = false;
};

}  // namespace turbine::etcd
