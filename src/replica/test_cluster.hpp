// TestCluster: replicas of one partition on several blades, in virtual time, for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "io/sim_clock.hpp"
#include "journal/fake_journal.hpp"
#include "kv/mem_kv.hpp"
#include "replica/replica_set.hpp"
#include "rpc/mem_transport.hpp"

namespace turbine::replica {

/// A log entry that says `text`.
std::string entry_of(const std::string& text);

/// Keeps the text of each entry in a row of its own.
class Rows final : public StateMachine {
 public:
  Rows(kv::Kv& kv, PartitionId id, uint8_t generation);
  Lsn applied_lsn() const override { return applied_; }
  Term applied_term() const override { return applied_term_; }
  Result<> apply(const Entry& entry) override;
  Result<> lead(Replica& replica) override;
  void step_down(const Error& why) override;
  std::pair<std::string, std::string> rows() const override { return range_; }
  Replica* leads() const { return replica_; }
  std::vector<std::string> contents() const;

 private:
  kv::Kv& kv_;
  std::pair<std::string, std::string> range_;
  Lsn applied_{};
  Term applied_term_{};  // as far as this object has applied it
  Replica* replica_ = nullptr;
};

class TestCluster {
 public:
  struct Blade {
    BladeId id;
    kv::MemKvDisk disk;
    std::shared_ptr<journal::FakeLog> log = std::make_shared<journal::FakeLog>();
    cluster::MapHolder map;
    std::unique_ptr<kv::Kv> kv;
    std::unique_ptr<rpc::Transport> transport;
    std::unique_ptr<rpc::Listener> listener;
    std::unique_ptr<journal::Journal> journal;
    std::unique_ptr<rpc::Dispatcher> dispatcher;
    std::unique_ptr<ReplicaSet> set;
    bool cut = false;      // from the manager
    bool unheard = false;  // the manager gets what it asks next much later: `late_changes`
    std::string failure;
    bool alive() const { return set != nullptr; }
  };

  /// The first `members` blades are in sync, blade 1 leads; `wanted` is the plan.
  TestCluster(uint32_t blades, uint32_t members, std::vector<uint32_t> wanted, uint64_t seed = 1);
  ~TestCluster();

  Blade& blade(uint32_t number) { return *blades[number - 1]; }
  /// Power off. The manager hears of it.
  void crash(uint32_t number);
  void start(uint32_t number);
  /// A new disk in its place.
  void wipe(uint32_t number);

  Replica* replica(uint32_t number);
  Rows& rows(uint32_t number);
  /// The blade whose replica serves and may answer; 0: none. Fails the test when there are two.
  uint32_t server();
  bool wait_for_server(uint32_t other_than = 0);
  /// Committed on return.
  Result<> put(uint32_t number, const std::string& text);
  bool wait(std::move_only_function<bool()> done, Duration limit = std::chrono::seconds(20)) {
    return clock.run_until(std::move(done), limit);
  }
  const proto::Partition& config() const { return record.partitions(0); }

  io::SimClock clock;
  Rng rng;
  rpc::MemNetwork network;
  proto::ClusterMap record;
  std::vector<std::unique_ptr<Blade>> blades;
  std::vector<proto::PartitionChange> late_changes;

  Result<> decide(uint32_t issuer, const std::vector<proto::PartitionChange>& changes);

 private:
  void publish();
};

}  // namespace turbine::replica
