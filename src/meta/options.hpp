// What the partition service of a blade stands on, and its times and bounds.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/rng.hpp"
#include "cluster/cluster_map.hpp"
#include "journal/journal.hpp"
#include "kv/kv.hpp"
#include "meta/partition_client.hpp"
#include "replica/options.hpp"
#include "stripe/stripe.hpp"

namespace turbine::meta {

struct Options {
  BladeId self;
  SessionId session;  // this process's own, for stripe ids; never used by another process

  Duration session_silence = std::chrono::seconds(30);  // after it a session has ended
  Duration grace = std::chrono::seconds(5);             // between unreferenced and freed
  Duration pin_age_max = std::chrono::hours(1);
  Duration replay_window = std::chrono::seconds(100);  // > kRequestAgeMax + silence + margin
  Duration lock_wait = std::chrono::milliseconds(500);
  Duration settle_wait = std::chrono::milliseconds(1500);  // a read on a prepared key
  Duration in_doubt_after = std::chrono::seconds(1);
  // Of a range of stripe ids; writers stop using it long before.
  Duration range_age_max = std::chrono::hours(1);

  uint64_t flush_bytes = uint64_t{64} << 20;  // Kv flush at this much unflushed
  Duration flush_interval = std::chrono::seconds(30);

  Duration destage_age_min = std::chrono::seconds(2);
  // While the Kv fills: what has moved on by the time of its flush is never written by it.
  Duration destage_age_crowded = std::chrono::milliseconds(250);
  Duration destage_age_max = std::chrono::seconds(20);
  Duration census_interval = std::chrono::hours(6);  // a group's shards compared with its records
  Duration quarantine = std::chrono::hours(24);      // of orphaned shards

  replica::Options replicas;  // self is filled in

  bool background = true;             // tests turn the jobs off and run them by hand
  bool swap_unconditionally = false;  // planted bug, for tests only
};

/// Everything outlives the host.
struct Seams {
  Executor executor;
  Clock& clock;
  Rng& rng;
  kv::Kv& kv;
  cluster::MapHolder& map;
  PartitionClient& client;
  stripe::ShardIo& shard_io;
  /// One try at another blade, for its replicas.
  std::function<Task<rpc::Reply>(BladeId, rpc::Request, TimePoint deadline)> call_blade;
  /// Asks the manager for other configurations of partitions.
  std::function<Task<>(std::vector<proto::PartitionChange>)> change_partitions;
  stripe::StripeReader* reader = nullptr;  // destager and cleaner need both
  stripe::StripeWriter* writer = nullptr;
  /// The oldest journal record that the chunk store has not put into the Kv yet.
  std::function<journal::Position(journal::Position end)> chunk_unapplied;
  /// The journal or the Kv failed: the blade must stop.
  std::function<void(Error)> fatal;
};

}  // namespace turbine::meta
