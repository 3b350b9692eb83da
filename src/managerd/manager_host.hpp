// ManagerHost: the cluster store, and a manager on it while this process leads.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/async.hpp"
#include "cluster/fenced_store.hpp"
#include "cluster/manager.hpp"
#include "etcd/leader_election.hpp"
#include "io/reactor.hpp"
#include "managerd/manager_config.hpp"

namespace turbine::managerd {

/// One reactor thread. With the embedded store this process always leads. With etcd it leads as
/// long as it holds the leader's record; each time it begins with a new Manager, which loads the
/// map as it stands then. The former one is stopped and kept until the last call on it has ended.
class ManagerHost {
 public:
  ManagerHost(io::Reactor& reactor, const ManagerConfig& config, cluster::ManagerOptions options);

  /// Opens the store; blocks. Errc::invalid for addresses, certificates, the password's file.
  Result<> open();
  /// Embedded: leads on return. etcd: reached on return, and takes part in the election.
  Task<> start();
  Task<> stop();

  /// A message to the manager. Errc::unavailable names the manager that leads, if another does.
  Task<rpc::Reply> dispatch(rpc::Request request);
  /// The one that leads, or led last; null before this process has led.
  std::shared_ptr<cluster::Manager> manager() const;
  /// Why this process does not lead, and who does; nothing when it does.
  std::optional<std::string> standby() const;

 private:
  /// From taking the lead to losing it.
  struct Term {
    uint64_t revision = 0;  // of the leader's record; 0: embedded store
    std::optional<cluster::FencedStore> fenced;
    std::optional<cluster::Manager> manager;
    rpc::Dispatcher dispatcher;
  };

  Task<> follow_election();
  Task<> begin(uint64_t revision);
  Task<> end(std::shared_ptr<Term> term);
  static Task<rpc::Reply> answer(std::shared_ptr<Term> term, rpc::Request request);

  io::Reactor& reactor_;
  const ManagerConfig& config_;
  const cluster::ManagerOptions options_;
  Gate gate_;
  Event wake_;
  std::unique_ptr<cluster::ClusterStore> store_;
  etcd::EtcdStore* etcd_ = nullptr;  // store_, when it is that
  std::optional<etcd::LeaderElection> election_;
  std::optional<uint64_t> leading_;  // revision of the leader's record, while it is ours
  std::shared_ptr<Term> term_;
  bool ended_ = false;  // term_ is
  bool stopping_ = false;
};

}  // namespace turbine::managerd
