// Replica: one partition's log and state on this blade, as primary or as member.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "proto/cluster.pb.h"
#include "proto/replication.pb.h"
#include "replica/log.hpp"
#include "replica/options.hpp"
#include "replica/state_machine.hpp"

namespace turbine::replica {

class ReplicaSet;

enum class Role : uint8_t {
  none,    // not in sync; it may be joining
  member,  // in sync: its log counts
  primary,
};

/// Another replica as its primary sees it, within one term.
struct Follower {
  bool in_sync = false;  // in the configuration
  bool counts = false;   // nothing is committed and nothing read without it
  bool synced = false;   // its log is a prefix of this one
  bool syncing = false;  // it is being made one, up to `next`
  bool lost = false;     // it lacks entries that nobody can give it any more
  uint64_t number = 0;   // of its REPLICA_SYNC
  Lsn next{1}, durable{};
  TimePoint lease_until{};
  TimePoint counts_since{};
  TimePoint moved_at{};  // when it last had all of the log, or took some of it
};

/// One reactor thread; owned by the ReplicaSet and by the
/// coroutines that run for it.
class Replica : public std::enable_shared_from_this<Replica> {
 public:
  Replica(ReplicaSet& set, PartitionId id, uint8_t generation);

  /// Makes the state machine from what the Kv holds.
  void open();
  /// A record of the journal, before the first learn().
  Result<> replay(const journal::Record& record, journal::Position position);
  /// A configuration of the map; ignored when it is the one known.
  void learn(const proto::Partition& config);
  /// Serves nobody from now on.
  void stop(const Error& why);

  PartitionId id() const { return id_; }
  Role role() const { return role_; }
  Term term() const { return Term(config_.term()); }
  const proto::Partition& config() const { return config_; }
  bool is_in_sync(BladeId blade) const;
  const Log& log() const { return log_; }
  /// How far the log goes.
  proto::ReplicaLog extent() const;
  Lsn committed() const { return committed_; }
  const std::shared_ptr<StateMachine>& machine() const { return machine_; }
  /// Everything before it that this replica has in the journal is in the Kv or not needed.
  journal::Position unapplied_from(journal::Position end) const;
  /// Writes what is not applied to the journal's end again, so that the journal may forget it here.
  void carry_forward();

  // --- primary.cpp
  Lsn next_lsn() const { return Lsn(log_.last().value + 1); }
  /// Takes the entry next_lsn() at once; durable here on return, committed when it is applied.
  Task<> append(std::string payload);
  /// What was read is still true: no other primary can have answered anybody.
  bool answerable() const;
  std::map<BladeId, Follower>& followers() { return followers_; }
  TimePoint reign_since() const { return reign_since_; }
  /// A member in sync that has applied more than this primary's log holds: what is here is an old
  /// copy. BladeId(0): none.
  BladeId overtaken_by() const { return overtaken_by_; }
  /// Since when the own journal has taken nothing, though it should; nullopt: it does.
  std::optional<TimePoint> journal_stuck_since() const;
  /// The entries that `blade` lacks, at most `bytes_max`; false when there is nothing to send.
  bool next_run(BladeId blade, uint64_t bytes_max, proto::ReplicaRun* run,
                std::vector<std::shared_ptr<const std::string>>* payloads);
  void run_answered(BladeId blade, const proto::ReplicaRun& run,
                    const proto::ReplicaRunReply& reply);
  void lease_granted(BladeId blade, Term term, TimePoint until);
  /// `blade` has forgotten that it takes entries under `number`: its process began anew.
  void out_of_step(BladeId blade, Term term, uint64_t number);
  /// Whether this member takes entries of the lease's term under its number.
  bool in_step(const proto::ReplicaLease& lease) const;

  // --- join.cpp
  bool joining() const { return joining_; }
  /// Brings `blade` up and asks for it to be in sync.
  Task<> join(BladeId blade);

  // --- member.cpp
  proto::ReplicaStateReply state() const;
  Task<> cut(uint64_t number, Lsn after);
  /// Whether a run that was sent before this one, and by the same primary, has not come yet.
  bool lacks_before(const proto::ReplicaRun& run) const;
  /// While it lacks it, and until `deadline`.
  Task<> wait_for_run_before(proto::ReplicaRun run, TimePoint deadline);
  /// Takes what is new of a run; appends what must become durable to `appended`.
  Errc take(const proto::ReplicaRun& run, std::string_view payload, bool* appended);
  /// Errc::conflict: parts are missing.
  Task<> install(proto::ReplicaSnapshotRequest request);
  /// A beacon of the primary; false: not granted.
  bool grant(BladeId from, const proto::ReplicaLease& lease);
  void note_committed(Lsn committed);
  TimePoint granted_until() const { return granted_until_; }
  /// It asks for the primary's place, and grants that one nothing any more in this term.
  void note_takeover();
  /// What became of it. Only one of which it is certain that none of its requests was decided nor
  /// will be grants leases again.
  void takeover_answered(Term asked, bool certainly_not_decided);
  Lsn durable() const { return durable_; }
  /// The log is durable up to `lsn`. Errc::stale_epoch: another term has begun.
  Task<> wait_durable(Lsn lsn, Term term);

 private:
  void begin_reign();
  void advance();
  void apply_committed();
  /// As apply_committed(), but what is to be sent or flushed goes first.
  void apply_soon();
  static Task<> apply_in_turns(std::shared_ptr<Replica> self);
  /// At most `count` entries; false when there are no more.
  bool apply_some(uint64_t count);
  void step_down(const Error& why);
  void on_durable(Lsn lsn, Term term, journal::Position position);
  static Task<> watch_durable(std::shared_ptr<Replica> self, Task<journal::Position> appended,
                              Lsn lsn, Term term);
  static Task<> carry_entry(std::shared_ptr<Replica> self, Task<journal::Position> appended,
                            journal::Position before, Lsn lsn, Term term);
  Task<journal::Position> log_entry(Term term, std::shared_ptr<const std::string> payload);
  static Task<> follow(std::shared_ptr<Replica> self, uint64_t reign, BladeId blade);
  enum class Synced : uint8_t { yes, needs_state };
  static Task<Synced> sync(std::shared_ptr<Replica> self, uint64_t reign, BladeId blade);
  Follower* follower(uint64_t reign, BladeId blade);
  static Task<> send_state(std::shared_ptr<Replica> self, uint64_t reign, BladeId blade);
  static Task<> join_steps(std::shared_ptr<Replica> self, uint64_t reign, BladeId blade);
  static Task<> await_acks(std::shared_ptr<Replica> self, uint64_t reign, BladeId blade, Lsn target,
                           bool lease, Duration patience);
  /// Entries from `first` on are void at a replay.
  Task<> log_truncation(Term term, Lsn first);
  void finish_install(const proto::ReplicaSnapshotRequest& request);
  void trim();

  ReplicaSet& set_;
  const PartitionId id_;
  uint8_t generation_;  // of the slot in the Kv
  std::shared_ptr<StateMachine> machine_;
  Log log_;
  proto::Partition config_;
  Role role_ = Role::none;
  Lsn committed_{};         // known here
  Lsn durable_{};           // the own journal has all up to it
  TimePoint durable_at_{};  // when durable_ grew, or there was nothing to wait for
  Lsn gap_at_{};            // the first entry at the replay that did not follow; 0: none
  int carried_ = 0;         // entries on their way to the journal's end
  bool stopped_ = false;
  bool applying_ = false;  // in turns

  // As primary.
  uint64_t reign_ = 0;  // grows with every term learnt
  TimePoint reign_since_{};
  Lsn base_{};
  bool leading_ = false;  // the machine serves
  bool joining_ = false;
  BladeId overtaken_by_{};
  uint64_t last_number_ = 0;
  std::map<BladeId, Follower> followers_;

  // As member.
  Term synced_term_{};
  Term numbered_term_{};  // of synced_number_
  uint64_t synced_number_ = 0;
  TimePoint granted_until_{};
  Term takeover_term_{};
  bool takeover_in_doubt_ = false;  // an earlier request of this term may be decided yet
  uint64_t transfer_ = 0;
  uint32_t next_part_ = 0;
  std::set<uint64_t> transfers_;  // begun in this term: a late copy must not begin one again
  std::unique_ptr<Event> durable_event_;  // durable_ has grown, or the term is another
  std::unique_ptr<Event> grown_event_;    // the log has grown
};

}  // namespace turbine::replica
