// LeaderElection: which of several managers leads, by a record that lives as long as a lease.
#pragma once

#include <functional>
#include <string>

#include "base/async.hpp"
#include "etcd/etcd_store.hpp"

namespace turbine::etcd {

struct ElectionOptions {
  std::string key = "leader";
  std::string name;             // ours, the record's value: an address others can be told
  std::chrono::seconds ttl{3};  // etcd gives at least 1.5 of its election time-outs
  Duration look = std::chrono::milliseconds(250);  // how often others look for the record
};

/// One reactor thread; the store outlives it. Leadership is a guess of this process: only a
/// transaction that compares the record's revision proves it (cluster::FencedStore). It ends here
/// when the lease was not renewed for its time, counted from the last request that renewed it.
class LeaderElection {
 public:
  LeaderElection(EtcdStore& store, Clock& clock, ElectionOptions options);

  /// `won` is told the record's revision, then `lost`, and so on in turn; on the reactor.
  void start(std::function<void(uint64_t revision)> won, std::function<void()> lost);
  /// Gives the record up, so that another takes over at once; calls no one.
  Task<> stop();
  /// This leadership is of no use; another may try first.
  void step_down();
  /// Name of the one that leads, as far as known; empty: none.
  const std::string& leader() const { return leader_; }

 private:
  Task<> campaign_for_ever();
  Task<> campaign();
  Task<> lead(std::string lease, TimePoint granted, uint64_t revision);
  Task<> keep(std::string lease, TimePoint granted);
  Task<> pause(Duration duration);

  EtcdStore& store_;
  Clock& clock_;
  const ElectionOptions options_;
  Gate gate_;
  Event wake_;
  std::function<void(uint64_t)> won_;
  std::function<void()> lost_;
  std::string leader_;
  bool stopping_ = false;
  bool stepping_down_ = false;
};

}  // namespace turbine::etcd
