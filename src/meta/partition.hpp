// Partition: one slice of the metadata at its primary.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "meta/binding_leases.hpp"
#include "meta/duplicates.hpp"
#include "meta/half.hpp"
#include "meta/image.hpp"
#include "meta/key_locks.hpp"
#include "meta/lock_waits.hpp"
#include "meta/options.hpp"
#include "meta/pins.hpp"
#include "replica/state_machine.hpp"

namespace turbine::meta {

/// The state machine of a replica, held by the operations that run. Where the replica is a mere
/// member it only applies what comes. Where it leads, it serves, until it steps down for good. One
/// reactor thread. Mutations: take locks, check committed state, commit() one entry, which every
/// replica in sync has durably and this one has applied when commit() returns; then reply and
/// unlock. Reads see committed state.
class Partition final : public replica::StateMachine,
                        public std::enable_shared_from_this<Partition> {
 public:
  using Led = std::function<void(const PartitionPtr&)>;
  /// `led` is called when it has begun to serve.
  Partition(const Seams& seams, const Options& options, Gate& gate, PartitionId id,
            uint8_t generation = 0, Led led = {});

  /// Reads the committed state, before anything else.
  Result<> load();

  Lsn applied_lsn() const override { return image_.applied_lsn(); }
  Term applied_term() const override { return image_.applied_term(); }
  Result<> apply(const replica::Entry& entry) override;
  /// Takes the locks of prepared intents again and serves.
  Result<> lead(replica::Replica& replica) override;
  void step_down(const Error& why) override;
  std::pair<std::string, std::string> rows() const override;

  bool serving() const { return replica_ != nullptr && !stopped_ && !failed_; }
  /// What was read here is still so: nobody else can have answered otherwise meanwhile.
  bool answerable() const;
  TimePoint led_since() const { return led_since_; }
  /// Requests whose senders knew an older map are copies that may have been answered by an earlier
  /// primary, whose memory of them is gone.
  Epoch led_epoch() const { return led_epoch_; }

  /// Durable on all replicas and applied here on return. Errc::too_large; Errc::unavailable:
  /// certainly not logged; Errc::timeout: the outcome is not known.
  /// `observed`: gets the files around the entry, as it was applied.
  Task<> commit(proto::LogEntry entry, Image::Observed* observed = nullptr);

  PartitionId id() const { return image_.id(); }
  Image& image() { return image_; }
  const Keys& keys() const { return image_.keys(); }
  kv::Kv& kv() const { return image_.kv(); }
  /// The rows of a queue, for the jobs, which look often: null when it was empty and nothing was
  /// applied since. `from`: not those before that key.
  std::unique_ptr<kv::Iterator> scan_queue(Kind kind, std::string_view from = {});
  KeyLocks& locks() { return locks_; }
  BindingLeases& binding_leases() { return binding_leases_; }
  LockWaits& lock_waits() { return lock_waits_; }
  Pins& pins() { return pins_; }
  const Pins& pins() const { return pins_; }
  const Seams& seams() const { return seams_; }
  const Options& options() const { return options_; }
  Clock& clock() const { return seams_.clock; }
  /// The host's; work that goes on after an answer.
  Gate& gate() const { return gate_; }

  /// A fresh number of this partition, for an inode or a content.
  InodeId next_number() { return InodeId::make(id(), next_number_++); }
  uint64_t next_stripe_numbers(uint32_t count);
  /// The time of a change now: max(wall clock, last entry, `last` + 1).
  int64_t time_after(int64_t last) const;

  // Duplicates of requests.
  /// The recorded answer of a request.
  Task<std::optional<std::string>> recorded_reply(RequestId id);
  /// Answers in buckets below this are older than `window`, by the log's time and by this
  /// process's clock: a wall clock that was set forward must not make a retry run again. To be
  /// asked now and then. None: nothing is that old.
  std::optional<uint64_t> expired_replay_bucket(Duration window);
  Duplicates& duplicates() { return duplicates_; }

  // Prepared intents.
  struct Prepared {
    Half half;
    TimePoint since{};
    bool finishing = false;
  };
  /// By Kv key.
  std::map<std::string, Prepared>& prepared() { return prepared_; }
  void add_prepared(const std::string& key, Half half);
  void remove_prepared(const std::string& key);
  /// Intents that have ended here, whether they had begun or not: a prepare that comes after that
  /// is a late duplicate. Remembered for longer than a message can be on its way, not over a
  /// restart, which no message outlives.
  void note_ended(const std::string& key);
  bool has_ended(const std::string& key) const { return ended_.contains(key); }
  /// Waits while one of the keys is prepared; Errc::busy after options().settle_wait.
  /// `any_name_in`: all names of that directory, besides.
  Task<> wait_settled(std::vector<LockKey> keys, InodeId any_name_in = {});
  bool is_prepared(const std::vector<LockKey>& keys, InodeId any_name_in) const;
  bool has_prepared() const { return !prepared_keys_.empty(); }

  /// Attempts that this coordinator has neither decided nor given up, by Kv key of the decision.
  std::set<std::string>& active_transactions() { return active_transactions_; }
  /// Decisions that every participant knows; to be forgotten with the next entry.
  std::vector<proto::TxnId>& settled_decisions() { return settled_decisions_; }
  std::set<std::string>& finishing_decisions() { return finishing_decisions_; }

  /// Whether taking `more` entries away, beyond the removals on their way, may leave the directory
  /// empty and so remove it. Who asks holds a lock on its presence, counts its own removal before
  /// and has read `directory` without a suspension since: one that was read earlier may miss a
  /// removal that has come and gone.
  bool may_vanish(const proto::Inode& directory, uint64_t more = 1) const;

  /// Of a bucket at home here.
  ChargesOnTheirWay charges_on_their_way(uint64_t bucket) const;

 private:
  friend class Removal;
  friend class StripeReservation;
  friend class ChargeReservation;
  struct Pending {
    explicit Pending(Executor executor) : done(executor) {}
    proto::LogEntry entry;
    Lsn lsn;
    Image::Observed observed;
    OneShot<> done;
  };
  Result<> lock_prepared();
  void fail_all(const Error& error);

  Seams seams_;
  Options options_;
  Gate& gate_;
  Image image_;
  KeyLocks locks_;
  LockWaits lock_waits_;
  Pins pins_;
  BindingLeases binding_leases_;
  Led led_;
  const std::pair<std::string, std::string> rows_;
  std::shared_ptr<replica::Replica> replica_;  // while it leads
  TimePoint led_since_{};
  Epoch led_epoch_{};
  int64_t last_time_ns_ = 0;
  uint64_t next_number_ = 0;
  uint64_t next_stripe_ = 0;
  bool stopped_ = false;
  bool failed_ = false;
  std::deque<std::shared_ptr<Pending>> pending_;  // logged, not applied

  Duplicates duplicates_;
  std::deque<std::pair<TimePoint, uint64_t>> log_times_;  // when the log was in which bucket
  std::map<std::string, Prepared> prepared_;
  std::map<LockKey, int> prepared_keys_;
  std::set<std::string> ended_;
  std::deque<std::pair<TimePoint, std::string>> ended_order_;
  std::vector<OneShot<>> settled_waiters_;
  std::set<std::string> active_transactions_;
  std::set<std::string> finishing_decisions_;
  std::vector<proto::TxnId> settled_decisions_;
  std::map<InodeId, uint32_t> removals_;
  std::map<uint64_t, ChargesOnTheirWay> charges_;  // by bucket
  std::map<Kind, Lsn> empty_queues_;               // as of this entry
};

}  // namespace turbine::meta
