// FencedStore: the cluster store as the manager that leads may use it.
#pragma once

#include <functional>
#include <string>

#include "cluster/cluster_store.hpp"

namespace turbine::cluster {

/// Every transaction also compares the leader's record with the revision at which this manager
/// wrote it, so a manager that leads no longer, and does not know it yet, changes nothing. One
/// reactor thread; the store below outlives it.
class FencedStore final : public ClusterStore {
 public:
  /// `deposed` is called once, when a transaction has found out.
  FencedStore(ClusterStore& store, std::string leader_key, uint64_t leader_revision,
              std::function<void()> deposed)
      : store_(store),
        leader_{std::move(leader_key), leader_revision},
        deposed_(std::move(deposed)) {}

  Task<std::optional<StoreRecord>> get(std::string key) override {
    return store_.get(std::move(key));
  }
  Task<std::vector<StoreRecord>> list(std::string prefix) override {
    return store_.list(std::move(prefix));
  }
  /// Errc::unavailable, with nothing done, when another manager leads.
  Task<uint64_t> txn(std::vector<StoreCompare> compares, std::vector<StorePut> puts) override;
  void watch(std::string prefix, std::function<void(uint64_t revision)> observer) override {
    store_.watch(std::move(prefix), std::move(observer));
  }

 private:
  ClusterStore& store_;
  const StoreCompare leader_;
  std::function<void()> deposed_;
};

}  // namespace turbine::cluster
