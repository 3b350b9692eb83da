#include "meta/partition.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "replica/replica.hpp"
#include "replica/slots.hpp"

namespace turbine::meta {

namespace {

// Longer than a message can be on its way.
constexpr Duration kEndedKept = std::chrono::minutes(2);
constexpr Duration kAnswersKept = std::chrono::minutes(1);  // > kRequestAgeMax and the way

}  // namespace

Partition::Partition(const Seams& seams, const Options& options, Gate& gate, PartitionId id,
                     uint8_t generation, Led led)
    : seams_(seams),
      options_(options),
      gate_(gate),
      image_(seams.kv, id, generation),
      locks_(seams.executor),
      lock_waits_(seams.executor),
      led_(std::move(led)),
      rows_(replica::slot_range(id, generation)),
      duplicates_(seams.clock, kAnswersKept) {
  image_.swap_unconditionally = options.swap_unconditionally;
}

Result<> Partition::load() {
  return image_.load();
}

// --- as the state machine of a replica -------------------------------------------------------

Result<> Partition::apply(const replica::Entry& entry) {
  std::shared_ptr<Pending> pending;
  if (!pending_.empty() && pending_.front()->lsn == entry.lsn) {
    pending = std::move(pending_.front());
    pending_.pop_front();
  }
  const auto run = [&]() -> Result<> {
    if (pending != nullptr) {
      return image_.apply(pending->entry, entry.lsn, entry.term, entry.position,
                          &pending->observed);
    }
    proto::LogEntry content;
    if (!content.ParseFromString(*entry.payload)) {
      return fail(Errc::corrupt, "partition {}: log entry {} does not parse", id(), entry.lsn);
    }
    return image_.apply(content, entry.lsn, entry.term, entry.position);
  };
  Result<> applied = run();
  if (applied.ok()) {
    if (pending != nullptr) pending->done.set({});
    return applied;
  }
  log::critical("partition {} stops: {}", id(), applied.error().text());
  failed_ = true;
  if (pending != nullptr) pending_.push_front(std::move(pending));
  fail_all(applied.error());
  return applied;
}

Result<> Partition::lead(replica::Replica& replica) {
  last_time_ns_ = image_.state().last_time_ns();
  next_number_ = image_.state().next_number();
  next_stripe_ = image_.state().next_stripe();
  TRY(lock_prepared());
  replica_ = replica.shared_from_this();
  led_since_ = clock().now();
  if (const cluster::MapPtr map = seams_.map.get()) led_epoch_ = map->epoch();
  if (led_) led_(shared_from_this());
  return {};
}

Result<> Partition::lock_prepared() {
  for (const auto& [key, intent] : image_.intents()) {
    Half half;
    std::vector<LockRequest> locks;
    for (const proto::LockName& lock : intent.locks()) {
      locks.push_back({{static_cast<LockKind>(lock.kind()), InodeId(lock.inode()), lock.name()},
                       lock.exclusive()});
      if (locks.back().key.kind == LockKind::present && !lock.exclusive()) {
        half.removals.emplace_back(shared_from_this(), InodeId(lock.inode()));
      }
    }
    auto guard = locks_.try_acquire(locks);
    if (!guard.has_value()) {
      return fail(Errc::corrupt, "partition {}: two prepared transactions hold one key", id());
    }
    half.guards.push_back(std::move(*guard));
    half.locks = std::move(locks);
    StripeReservation reservation(shared_from_this());
    for (const proto::Mutation& mutation : intent.mutations()) {
      if (const auto& charge = mutation.charge_bucket(); charge.delta() != 0) {
        half.charge_reservations.emplace_back(shared_from_this(), charge.bucket(), charge.delta());
      }
      if (!mutation.has_add_content()) continue;
      for (const proto::NewStripe& stripe : mutation.add_content().stripes()) {
        reservation.restore(StripeId(stripe.id()));
      }
    }
    half.reservations.push_back(std::move(reservation));
    add_prepared(key, std::move(half));
    prepared_.at(key).since = TimePoint{};  // ask for the outcome at once
  }
  return {};
}

void Partition::step_down(const Error& why) {
  stopped_ = true;
  fail_all(why);
  // What is prepared holds on to the partition, which holds on to it.
  std::exchange(prepared_, {}).clear();
  prepared_keys_.clear();
  replica_.reset();
}

std::pair<std::string, std::string> Partition::rows() const {
  return rows_;
}

bool Partition::answerable() const {
  return serving() && replica_->answerable();
}

Task<> Partition::commit(proto::LogEntry entry, Image::Observed* observed) {
  if (!serving()) co_return fail(Errc::unavailable, "partition {} is not serving", id());
  entry.set_time_ns(time_after(last_time_ns_ - 1));
  entry.set_committed_lsn(replica_->committed().value);
  std::string payload = entry.SerializeAsString();
  if (payload.size() > journal::kRecordBytesMax) {
    co_return fail(Errc::too_large, "a log entry of {} bytes", payload.size());
  }
  last_time_ns_ = entry.time_ns();
  auto pending = std::make_shared<Pending>(seams_.executor);
  pending->entry = std::move(entry);
  pending->lsn = replica_->next_lsn();
  pending_.push_back(pending);
  const PartitionPtr self = shared_from_this();
  const Result<> appended = co_await replica_->append(std::move(payload));
  if (!appended.ok()) {
    failed_ = true;
    fail_all(appended.error());
  }
  CO_TRY(co_await pending->done.wait());
  if (observed != nullptr) *observed = std::move(pending->observed);
  co_return Result<>{};
}

void Partition::fail_all(const Error& error) {
  lock_waits_.wake_all();
  for (auto& pending : std::exchange(pending_, {})) {
    pending->done.set(fail(Errc::timeout, "partition {}: {}", id(), error.text()));
  }
  for (OneShot<>& waiter : std::exchange(settled_waiters_, {})) {
    waiter.set(fail(Errc::unavailable, "partition {}: {}", id(), error.text()));
  }
}

std::unique_ptr<kv::Iterator> Partition::scan_queue(Kind kind, std::string_view from) {
  const Lsn applied = image_.applied_lsn();
  const auto known = empty_queues_.find(kind);
  if (known != empty_queues_.end() && known->second == applied) return nullptr;
  const std::string first = keys().kind(kind);
  auto rows = kv().scan(std::max<std::string_view>(first, from), keys().kind_end(kind));
  if (from.empty() && !rows->valid() && rows->status().ok())
    empty_queues_.insert_or_assign(kind, applied);
  return rows;
}

uint64_t Partition::next_stripe_numbers(uint32_t count) {
  return std::exchange(next_stripe_, next_stripe_ + count);
}

int64_t Partition::time_after(int64_t last) const {
  return std::max({seams_.clock.wall_now().ns, last_time_ns_, last + 1});
}

Task<std::optional<std::string>> Partition::recorded_reply(RequestId id) {
  const auto bucket = image_.replay_bucket_of(id);
  if (!bucket.has_value()) co_return std::optional<std::string>{};
  const auto record =
      CO_TRY(co_await load_record<proto::ReplayRecord>(kv(), keys().replay(*bucket, id)));
  if (!record.has_value()) co_return std::optional<std::string>{};
  co_return std::optional<std::string>(record->reply());
}

std::optional<uint64_t> Partition::expired_replay_bucket(Duration window) {
  const TimePoint now = clock().now();
  const int64_t newest = image_.state().last_time_ns();
  const uint64_t bucket = replay_bucket(newest);
  if (log_times_.empty() || log_times_.back().second != bucket) {
    log_times_.emplace_back(now, bucket);
  }
  // The newest look that is a window old: lower buckets were complete by then.
  while (log_times_.size() > 1 && log_times_[1].first + window <= now) log_times_.pop_front();
  if (log_times_.front().first + window > now || newest < window.count()) return std::nullopt;
  return std::min(log_times_.front().second, replay_bucket(newest - window.count()));
}

void Partition::add_prepared(const std::string& key, Half half) {
  for (const LockRequest& lock : half.locks) {
    if (lock.exclusive) ++prepared_keys_[lock.key];
  }
  prepared_.insert_or_assign(key, Prepared{std::move(half), clock().now(), false});
}

void Partition::remove_prepared(const std::string& key) {
  const auto found = prepared_.find(key);
  if (found == prepared_.end()) return;
  for (const LockRequest& lock : found->second.half.locks) {
    if (!lock.exclusive) continue;
    const auto count = prepared_keys_.find(lock.key);
    if (--count->second == 0) prepared_keys_.erase(count);
  }
  prepared_.erase(found);
  for (OneShot<>& waiter : std::exchange(settled_waiters_, {})) waiter.set({});
}

bool Partition::is_prepared(const std::vector<LockKey>& keys, InodeId any_name_in) const {
  if (prepared_keys_.empty()) return false;
  for (const LockKey& key : keys) {
    if (prepared_keys_.contains(key)) return true;
  }
  if (any_name_in == InodeId{}) return false;
  const auto next = prepared_keys_.lower_bound(LockKey{LockKind::name, any_name_in, {}});
  return next != prepared_keys_.end() && next->first.kind == LockKind::name &&
         next->first.inode == any_name_in;
}

Task<> Partition::wait_settled(std::vector<LockKey> keys, InodeId any_name_in) {
  const TimePoint deadline = clock().now() + options_.settle_wait;
  while (is_prepared(keys, any_name_in)) {
    OneShot<> settled(seams_.executor);
    settled_waiters_.push_back(settled);
    const Result<> waited = co_await settled.wait_until(clock(), deadline);
    if (!waited.ok()) {
      co_return fail(Errc::busy, "partition {}: a transaction on what was asked is not settled",
                     id());
    }
  }
  co_return Result<>{};
}

void Partition::note_ended(const std::string& key) {
  const TimePoint now = clock().now();
  while (!ended_order_.empty() && ended_order_.front().first + kEndedKept < now) {
    ended_.erase(ended_order_.front().second);
    ended_order_.pop_front();
  }
  if (ended_.insert(key).second) ended_order_.emplace_back(now, key);
}

ChargesOnTheirWay Partition::charges_on_their_way(uint64_t bucket) const {
  const auto found = charges_.find(bucket);
  return found == charges_.end() ? ChargesOnTheirWay{} : found->second;
}

bool Partition::may_vanish(const proto::Inode& directory, uint64_t more) const {
  if (!directory.implicit()) return false;
  const auto found = removals_.find(InodeId(directory.id()));
  const uint64_t removals = found == removals_.end() ? 0 : found->second;
  return directory.entry_count() <= removals + more;
}

}  // namespace turbine::meta
