// ReplicaSet: all replicas of one blade, and what they share on the way to other blades.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/async.hpp"
#include "replica/options.hpp"
#include "replica/replica.hpp"
#include "rpc/typed.hpp"

namespace turbine::replica {

/// Start-up: construct; replay() each record of the journal; start() with the map known. One
/// reactor thread. The journal and the seams outlive it; stop() before the destructor.
class ReplicaSet {
 public:
  ReplicaSet(Seams seams, Options options);
  ~ReplicaSet();

  Result<> replay(const journal::Record& record, journal::Position position);
  /// Of all replicas that this blade holds, in sync or not. After the replay and before start(),
  /// when all that is told is durable and stays as it is until the map is known.
  Result<std::vector<proto::ReplicaLog>> logs();
  /// Follows the map in the holder from now on.
  void start(journal::Journal& journal);
  /// Serves nobody any more, and asks for its partitions to be led by other members.
  Task<> hand_over();
  /// hand_over(), and the end of all that runs.
  Task<> stop();
  void register_handlers(rpc::Dispatcher& dispatcher);

  /// Null when this blade holds nothing of the partition.
  std::shared_ptr<Replica> find(PartitionId id) const;
  const std::map<PartitionId, std::shared_ptr<Replica>>& all() const { return replicas_; }
  /// Everything before it is in the Kv or not needed.
  journal::Position unapplied_from(journal::Position end) const;
  /// Makes it so for everything before `position` that nobody applies at present.
  void carry_forward(journal::Position position);

  // For the replicas.
  const Seams& seams() const { return seams_; }
  const Options& options() const { return options_; }
  journal::Journal& journal() { return *journal_; }
  Gate& gate() { return gate_; }
  void fail_with(const Error& error) { seams_.fatal(error); }
  /// `id` has something for `blade`.
  void stream(BladeId blade, PartitionId id);
  /// To all who count, also between their times.
  void send_beacons();
  /// Flushes the Kv; many that wait share one.
  Task<> flush();
  /// Asks for a configuration. One message at a time: what is wanted meanwhile goes with the next.
  Task<> decide(proto::PartitionChange change);
  /// Without this blade and without dead ones, led by `heir`.
  proto::PartitionChange place_for(const Replica& replica, BladeId heir) const;
  /// The partition's configuration as it is, to be changed.
  proto::PartitionChange change_of(const Replica& replica) const;

 private:
  struct Peer {
    std::set<PartitionId> dirty;
    int streams = 0;         // that send or are about to
    bool gathering = false;  // one of them is about to
    int beacons = 0;         // on their way
  };
  template <class Reply>
  using Answer = Task<rpc::With<Reply>>;

  void on_map();
  Result<std::shared_ptr<Replica>> open(PartitionId id);
  void discard(PartitionId id);
  Task<std::shared_ptr<Replica>> admit(PartitionId id, Term term, BladeId from);

  Task<> stream_to(BladeId blade);
  Task<> send_runs(BladeId blade);

  Task<> beacon_loop();
  Task<> send_beacon(BladeId blade, proto::ReplicaBeaconRequest request);

  Task<> look_loop();
  void look();
  Task<> ask_and_note(proto::PartitionChange change);
  Task<> send_changes();
  std::optional<proto::PartitionChange> wants_to_lead(const Replica& replica) const;
  std::optional<proto::PartitionChange> wants_change(Replica& replica);
  void start_joins();
  Task<> run_join(std::shared_ptr<Replica> replica, BladeId blade);

  Answer<proto::ReplicaBeaconReply> on_beacon(proto::ReplicaBeaconRequest request);
  Answer<proto::ReplicaStateReply> on_state(proto::ReplicaStateRequest request);
  Answer<proto::ReplicaSyncReply> on_sync(proto::ReplicaSyncRequest request);
  Answer<proto::ReplicaAppendReply> on_append(proto::ReplicaAppendRequest request, Buffer payload);
  Answer<proto::ReplicaSnapshotReply> on_snapshot(proto::ReplicaSnapshotRequest request);

  Seams seams_;
  Options options_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for the map's observers
  Gate gate_;
  journal::Journal* journal_ = nullptr;
  bool stopping_ = false;
  TimePoint started_{};
  std::map<PartitionId, std::shared_ptr<Replica>> replicas_;
  std::map<BladeId, Peer> peers_;
  std::map<PartitionId, std::pair<Term, TimePoint>> asked_;  // for a change, when
  std::map<PartitionId, TimePoint> join_after_;              // a failed one
  std::vector<std::pair<proto::PartitionChange, OneShot<>>> undecided_;
  bool deciding_ = false;
  uint32_t joins_ = 0;
  bool flushing_ = false;
  std::vector<OneShot<>> flush_waiters_;
};

}  // namespace turbine::replica
