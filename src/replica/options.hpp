// What the replicas of a blade stand on, and their times.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/rng.hpp"
#include "cluster/cluster_map.hpp"
#include "kv/kv.hpp"
#include "replica/state_machine.hpp"
#include "rpc/rpc.hpp"

namespace turbine::replica {

/// `grace` ≥ `lease` × (1 + 2 × drift of clocks) + a margin: a primary's lease ends before any
/// member that granted it may take over.
struct Options {
  BladeId self;
  Duration beacon = std::chrono::milliseconds(500);
  Duration lease = std::chrono::milliseconds(1200);  // from the sending of the beacon
  Duration grace = std::chrono::milliseconds(1700);  // from its receipt
  Duration look = std::chrono::milliseconds(250);    // between looks at leases and configurations
  Duration call = std::chrono::milliseconds(1000);   // deadline of one message
  Duration snapshot_call = std::chrono::seconds(10);
  Duration turn = std::chrono::milliseconds(250);  // between members that may take over
  // A replica whose device takes nothing for so long is dropped, while that of another one does.
  Duration stuck = std::chrono::seconds(3);
  uint32_t joins_at_once = 4;
  uint64_t append_bytes_max = uint64_t{1} << 20;
  uint64_t snapshot_part_bytes = uint64_t{1} << 20;
  uint64_t joiner_log_bytes_max = uint64_t{64} << 20;  // kept for one that copies the state
  // Planted mistakes, for tests only.
  struct Plant {
    bool acknowledge_early = false;  // a member answers before its journal is flushed
    bool ignore_terms = false;
    bool apply_early = false;  // before all members have the entry
    bool read_without_lease = false;
    bool serve_early = false;     // before the base is committed
    bool cut_on_restart = false;  // what is not applied is forgotten
  } plant;
};

/// Everything outlives the set.
struct Seams {
  Executor executor;
  Clock& clock;
  Rng& rng;
  kv::Kv& kv;
  cluster::MapHolder& map;
  /// One try at a blade, which may be dead.
  std::function<Task<rpc::Reply>(BladeId, rpc::Request, TimePoint deadline)> call;
  /// Asks the manager to decide configurations; the map that comes tells what became of it.
  std::function<Task<>(std::vector<proto::PartitionChange>)> change;
  /// From what the Kv holds in that slot. Never null: one that could not be read has told `fatal`.
  std::function<std::shared_ptr<StateMachine>(PartitionId, uint8_t generation)> make_machine;
  /// The journal or the Kv failed: the blade must stop.
  std::function<void(Error)> fatal;
};

}  // namespace turbine::replica
