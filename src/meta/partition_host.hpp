// PartitionHost: the partition service of one blade.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "base/task.hpp"
#include "meta/operations.hpp"
#include "meta/options.hpp"
#include "meta/partition.hpp"
#include "proto/chunk.pb.h"
#include "proto/cluster.pb.h"
#include "replica/replica_set.hpp"
#include "rpc/typed.hpp"
#include "stripe/stripe_ids.hpp"

namespace turbine::meta {

class Cleaner;
class Destager;
class Repairer;

/// Of the map.
struct BucketQuotas {
  uint64_t epoch = 0;
  uint32_t partition_count = 0;
  std::map<uint64_t, proto::BucketQuota> by_bucket;
};

/// Owns the replicas of partitions that this blade holds, and serves those that lead. One reactor
/// thread.
///
/// Start-up: construct; give recovery_position() to Journal::open() and each record of it to
/// replay(); then start(), with the map known. An answered mutation is durable in the journals of
/// all replicas in sync and applied to the Kv here; the host flushes the Kv and moves the journal's
/// recovery position behind it.
class PartitionHost {
 public:
  PartitionHost(Seams seams, Options options);
  ~PartitionHost();

  /// Where replay must begin: kept in the Kv and as old as what is durable there.
  static Result<journal::Position> recovery_position(kv::Kv& kv);
  /// Ignores records that are not a partition's or are applied already.
  Result<> replay(const journal::Record& record, journal::Position position);
  /// ReplicaSet::logs(), before start().
  Result<std::vector<proto::ReplicaLog>> replica_logs() { return replicas_.logs(); }
  /// Follows the map from now on.
  Task<> start(journal::Journal& journal);
  /// Serves nobody any more and gives other replicas the lead, while the manager still listens.
  Task<> hand_over();
  /// hand_over(), then ends the jobs and flushes the Kv.
  Task<> stop();

  void register_handlers(rpc::Dispatcher& dispatcher);

  // What operations.cpp needs.
  /// Errc::wrong_primary; Errc::unavailable: not started, or failed.
  Result<PartitionPtr> admit(PartitionId id);
  void renew_session(SessionId id);
  /// Stripe ids for this blade's own writers.
  Task<stripe::StripeIdRange> lease_ids(PartitionId home, uint32_t count);
  /// For the destager and the cleaner; before start().
  void set_stripes(stripe::StripeReader* reader, stripe::StripeWriter* writer) {
    seams_.reader = reader;
    seams_.writer = writer;
  }
  stripe::StripeReader* reader() const { return seams_.reader; }
  stripe::StripeWriter* writer() const { return seams_.writer; }
  Result<Call> make_call(PartitionId id, rpc::CallInfo info);

  /// Those that are served here.
  std::vector<PartitionPtr> partitions() const;
  const replica::ReplicaSet& replicas() const { return replicas_; }
  Repairer& repairer() { return *repairer_; }
  Destager& destager() { return *destager_; }
  Cleaner& cleaner() { return *cleaner_; }
  const Seams& seams() const { return seams_; }
  const Options& options() const { return options_; }
  Gate& gate() { return gate_; }

  std::vector<proto::PartitionStats> partition_stats() const;
  proto::RepairStats repair_stats() const { return repair_stats_; }
  proto::RepairStats& repair_counters() { return repair_stats_; }

  // The jobs, one round each; run by themselves unless Options::background is off.
  Task<> end_silent_sessions();  // and stripe id ranges that are too old
  Task<> settle_transactions();  // in-doubt intents, untold decisions, old records
  Task<> reap();                 // inodes whose name is gone
  Task<> free_stripes(bool space_is_short);
  Task<> keep_quotas();  // begins, counts and ends quotas of buckets as the map says
  Task<> flush_kv();

 private:
  Task<> every(Duration interval, std::function<Task<>()> round);
  Task<> make_root(PartitionPtr partition);
  PartitionPtr make_partition(PartitionId id, uint8_t generation);
  void on_led(const PartitionPtr& partition);
  void on_map();
  Task<> free_stripes_of(PartitionPtr partition, bool space_is_short);
  Task<> trim_trash_of(PartitionPtr partition);
  Task<> reap_of(PartitionPtr partition);
  Task<> settle_partition(PartitionPtr partition);
  Task<> keep_quotas_of(PartitionPtr partition, const BucketQuotas& quotas);
  Task<> end_session_in(PartitionPtr partition, SessionId session);
  Task<> end_old_ranges();
  Task<> flush_when_needed();

  Seams seams_;
  Options options_;
  // Ends with the host: observers of the map stay.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Gate gate_;
  journal::Journal* journal_ = nullptr;
  bool stopping_ = false;
  TimePoint last_flush_{};
  bool flushing_ = false;
  replica::ReplicaSet replicas_;
  std::map<SessionId, TimePoint> sessions_;                       // last heard of
  std::map<std::pair<PartitionId, uint64_t>, TimePoint> ranges_;  // of stripe ids, seen first
  proto::RepairStats repair_stats_;
  std::map<uint64_t, OneShot<>> sleepers_;  // jobs between their rounds
  uint64_t next_sleeper_ = 0;
  std::unique_ptr<Repairer> repairer_;
  std::unique_ptr<Destager> destager_;
  std::unique_ptr<Cleaner> cleaner_;
};

}  // namespace turbine::meta
