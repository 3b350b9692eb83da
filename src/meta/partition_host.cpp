#include "meta/partition_host.hpp"

#include <algorithm>
#include <utility>

#include "base/byte_codec.hpp"
#include "base/log.hpp"
#include "base/tick.hpp"
#include "meta/op_support.hpp"
#include "meta/repack.hpp"
#include "meta/repairer.hpp"
#include "meta/stripe_lease.hpp"

namespace turbine::meta {
namespace {

/// In slot 0, beside the shard index (chunk), whose kinds are others.
std::string recovery_key() {
  return std::string("\x00\x00\xf0recovery", 11);
}

}  // namespace

PartitionHost::PartitionHost(Seams seams, Options options)
    : seams_(std::move(seams)),
      options_(options),
      gate_(seams_.executor),
      replicas_(replica::Seams{.executor = seams_.executor,
                               .clock = seams_.clock,
                               .rng = seams_.rng,
                               .kv = seams_.kv,
                               .map = seams_.map,
                               .call = seams_.call_blade,
                               .change = seams_.change_partitions,
                               .make_machine =
                                   [this](PartitionId id, uint8_t generation) {
                                     return make_partition(id, generation);
                                   },
                               .fatal =
                                   [this](Error error) {
                                     if (seams_.fatal) seams_.fatal(std::move(error));
                                   }},
                [&options] {
                  replica::Options replicas = options.replicas;
                  replicas.self = options.self;
                  return replicas;
                }()),
      repairer_(std::make_unique<Repairer>(*this)),
      destager_(std::make_unique<Destager>(*this)),
      cleaner_(std::make_unique<Cleaner>(*this)) {}

PartitionHost::~PartitionHost() = default;

Result<journal::Position> PartitionHost::recovery_position(kv::Kv& kv) {
  const auto value = TRY(kv.get(recovery_key()));
  if (!value.has_value()) return journal::Position{};
  ByteReader reader(*value);
  return journal::Position{TRY(reader.le<uint64_t>())};
}

Result<> PartitionHost::replay(const journal::Record& record, journal::Position position) {
  return replicas_.replay(record, position);
}

PartitionPtr PartitionHost::make_partition(PartitionId id, uint8_t generation) {
  auto partition =
      std::make_shared<Partition>(seams_, options_, gate_, id, generation,
                                  [this](const PartitionPtr& leader) { on_led(leader); });
  const Result<> loaded = partition->load();
  if (!loaded.ok()) {
    log::critical("partition {}: {}", id, loaded.error().text());
    if (seams_.fatal) seams_.fatal(loaded.error());
  }
  return partition;
}

void PartitionHost::on_led(const PartitionPtr& partition) {
  repairer_->on_led(partition->id());
  // Whom the log knows is given a whole silence to be heard here.
  for (const SessionId session : partition->image().ranges().sessions()) renew_session(session);
  auto it = partition->kv().scan(partition->keys().kind(Kind::hidden),
                                 partition->keys().kind_end(Kind::hidden));
  for (; it->valid(); it->next()) renew_session(SessionId(number_in_key(it->key())));
  if (partition->id() == kRootInode.partition()) {
    gate_.spawn("make the root", make_root(partition));
  }
}

Task<> PartitionHost::make_root(PartitionPtr partition) {
  auto guard = CO_TRY(co_await partition->locks().acquire({lock_present(kRootInode, true)}));
  const auto record = CO_TRY(co_await load_record<proto::InodeRecord>(
      partition->kv(), partition->keys().inode(kRootInode)));
  if (record.has_value()) co_return Result<>{};
  proto::LogEntry entry;
  proto::Inode& inode = *entry.add_mutations()->mutable_put_inode()->mutable_inode();
  inode.set_id(kRootInode.value);
  inode.set_type(proto::FILE_DIRECTORY);
  inode.set_mode(0755);
  inode.set_link_count(2);
  inode.set_change(1);
  inode.set_next_cookie(3);
  const int64_t time = partition->time_after(0);
  inode.set_atime_ns(time);
  inode.set_mtime_ns(time);
  inode.set_ctime_ns(time);
  inode.set_content_time_ns(time);
  co_return co_await partition->commit(std::move(entry));
}

Task<> PartitionHost::start(journal::Journal& journal) {
  journal_ = &journal;
  last_flush_ = seams_.clock.now();
  replicas_.start(journal);
  if (seams_.map.get() != nullptr) repairer_->on_map(*seams_.map.get());
  seams_.map.observe([this, alive = std::weak_ptr(alive_)](const cluster::MapPtr&) {
    if (!alive.expired()) on_map();
  });
  if (options_.background) {
    using std::chrono::milliseconds;
    gate_.spawn("sessions", every(milliseconds(1000), [this] { return end_silent_sessions(); }));
    gate_.spawn("transactions", every(milliseconds(250), [this] { return settle_transactions(); }));
    gate_.spawn("reaper", every(milliseconds(500), [this] { return reap(); }));
    gate_.spawn("quotas", every(milliseconds(500), [this] { return keep_quotas(); }));
    gate_.spawn("freeing", every(milliseconds(500), [this] { return free_stripes(false); }));
    gate_.spawn("repairer", every(milliseconds(250), [this] { return repairer_->run_once(); }));
    gate_.spawn("destager", every(milliseconds(500), [this] { return destager_->run_once(); }));
    gate_.spawn("cleaner", every(milliseconds(10'000), [this] { return cleaner_->run_once(); }));
    gate_.spawn("flushing", every(milliseconds(250), [this] { return flush_when_needed(); }));
  }
  co_return Result<>{};
}

void PartitionHost::on_map() {
  if (!stopping_) repairer_->on_map(*seams_.map.get());
}

Task<> PartitionHost::every(Duration interval, std::function<Task<>()> round) {
  while (!stopping_) {
    const uint64_t sleeper = next_sleeper_++;
    OneShot<> woken(seams_.executor);
    sleepers_.emplace(sleeper, woken);
    (void)co_await woken.wait_until(seams_.clock, next_tick(seams_.clock.now(), interval));
    sleepers_.erase(sleeper);
    if (stopping_) break;
    const Result<> done = co_await round();
    if (!done.ok() && !stopping_) log::debug("a partition job: {}", done.error().text());
  }
  co_return Result<>{};
}

Task<> PartitionHost::hand_over() {
  stopping_ = true;
  for (auto& [id, sleeper] : sleepers_) sleeper.set({});
  return replicas_.hand_over();
}

Task<> PartitionHost::stop() {
  CO_TRY(co_await hand_over());
  // A job may wait for room in the journal, and nobody else makes any from here on.
  Result<> flushed;
  if (journal_ != nullptr) flushed = co_await flush_kv();
  CO_TRY(co_await gate_.close());
  CO_TRY(co_await replicas_.stop());
  CO_TRY(std::move(flushed));
  if (journal_ == nullptr) co_return Result<>{};
  co_return co_await flush_kv();
}

Result<PartitionPtr> PartitionHost::admit(PartitionId id) {
  const cluster::MapPtr map = seams_.map.get();
  if (map == nullptr || id.value >= map->partition_count() || map->primary(id) != options_.self) {
    return fail(Errc::wrong_primary, "blade {} does not serve partition {}", options_.self, id);
  }
  const auto replica = replicas_.find(id);
  PartitionPtr partition;
  if (replica != nullptr) partition = std::static_pointer_cast<Partition>(replica->machine());
  if (stopping_ || partition == nullptr || !partition->serving()) {
    return fail(Errc::unavailable, "partition {} is not serving yet or any more", id);
  }
  return partition;
}

void PartitionHost::renew_session(SessionId id) {
  if (id != SessionId{}) sessions_[id] = seams_.clock.now();
}

Task<stripe::StripeIdRange> PartitionHost::lease_ids(PartitionId home, uint32_t count) {
  const PartitionPtr partition = CO_TRY(admit(home));
  stripe::StripeIdRange range;
  range.first_number = CO_TRY(co_await lease_stripe_numbers(partition, options_.session, count));
  range.count = count;
  co_return range;
}

Result<Call> PartitionHost::make_call(PartitionId id, rpc::CallInfo info) {
  Call call;
  call.partition = TRY(admit(id));
  if (info.epoch < call.partition->led_epoch()) {
    return fail(Errc::wrong_primary,
                "partition {}: the request was sent by map {}, blade {} leads since map {}", id,
                info.epoch, options_.self, call.partition->led_epoch());
  }
  call.id = info.id;
  call.session = info.id.session;
  call.received = seams_.clock.now() - std::chrono::milliseconds(info.age_ms);
  call.payload = std::move(info.payload);
  if (sessions_.contains(call.session)) renew_session(call.session);
  return call;
}

std::vector<PartitionPtr> PartitionHost::partitions() const {
  std::vector<PartitionPtr> out;
  for (const auto& [id, replica] : replicas_.all()) {
    if (replica->role() != replica::Role::primary) continue;
    auto partition = std::static_pointer_cast<Partition>(replica->machine());
    if (partition->serving()) out.push_back(std::move(partition));
  }
  return out;
}

std::vector<proto::PartitionStats> PartitionHost::partition_stats() const {
  std::vector<proto::PartitionStats> out;
  for (const PartitionPtr& partition : partitions()) {
    const proto::PartitionState& state = partition->image().state();
    const auto at_least_0 = [](int64_t value) {
      return static_cast<uint64_t>(std::max<int64_t>(value, 0));
    };
    proto::PartitionStats stats;
    stats.set_partition(partition->id().value);
    stats.set_object_count(at_least_0(state.object_count()));
    stats.set_object_bytes(at_least_0(state.object_bytes()));
    stats.set_small_bytes(at_least_0(state.small_bytes()));
    stats.set_striped_bytes(at_least_0(state.striped_bytes()));
    out.push_back(std::move(stats));
  }
  return out;
}

Task<> PartitionHost::flush_when_needed() {
  const TimePoint now = seams_.clock.now();
  const uint64_t unflushed = seams_.kv.unflushed_bytes();
  const bool journal_half_full = journal_->used_bytes() > journal_->capacity_bytes() / 2;
  const bool overdue = now - last_flush_ >= options_.flush_interval &&
                       journal_->end() > journal_->recovery_position();
  if (unflushed < options_.flush_bytes && !journal_half_full && !overdue) co_return Result<>{};
  // What waits for a silent primary must not hold on to the whole journal.
  const uint64_t old = std::min(journal_->end().value, journal_->capacity_bytes() / 4);
  if (journal_half_full) replicas_.carry_forward({journal_->end().value - old});
  co_return co_await flush_kv();
}

Task<> PartitionHost::flush_kv() {
  if (flushing_) co_return Result<>{};
  flushing_ = true;
  journal::Position safe = replicas_.unapplied_from(journal_->durable_end());
  if (seams_.chunk_unapplied) safe = seams_.chunk_unapplied(safe);
  std::string value;
  append_le<uint64_t>(value, safe.value);
  kv::WriteBatch batch;
  batch.put(recovery_key(), std::move(value));
  Result<> flushed = seams_.kv.write(std::move(batch));
  if (flushed.ok()) flushed = co_await seams_.kv.flush();
  flushing_ = false;
  last_flush_ = seams_.clock.now();
  if (!flushed.ok()) {
    if (seams_.fatal) seams_.fatal(flushed.error());
    co_return flushed;
  }
  journal_->set_recovery_position(safe);
  co_return Result<>{};
}

}  // namespace turbine::meta
