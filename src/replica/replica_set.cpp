#include "replica/replica_set.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/tick.hpp"
#include "proto/rpc.pb.h"
#include "replica/slots.hpp"

namespace turbine::replica {
namespace {

constexpr auto kFlushGather = std::chrono::milliseconds(20);
// While one is flushed there, the other is made here, or waits there for the next flush.
constexpr int kStreams = 2;

bool stops_run(const Error& error) {
  return error.code == Errc::closed;
}

}  // namespace

ReplicaSet::ReplicaSet(Seams seams, Options options)
    : seams_(std::move(seams)), options_(options), gate_(seams_.executor) {}

ReplicaSet::~ReplicaSet() = default;

std::shared_ptr<Replica> ReplicaSet::find(PartitionId id) const {
  const auto found = replicas_.find(id);
  return found == replicas_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<Replica>> ReplicaSet::open(PartitionId id) {
  std::shared_ptr<Replica>& replica = replicas_[id];
  if (replica != nullptr) return replica;
  const auto generation = TRY(seams_.kv.get(generation_key(id)));
  const uint8_t number =
      generation.has_value() && !generation->empty() ? static_cast<uint8_t>((*generation)[0]) : 0;
  if (number >= kGenerations) {
    return fail(Errc::corrupt, "partition {}: the record of its slot is damaged", id);
  }
  replica = std::make_shared<Replica>(*this, id, number);
  replica->open();
  return replica;
}

Result<> ReplicaSet::replay(const journal::Record& record, journal::Position position) {
  if (record.type != journal::RecordType::entry && record.type != journal::RecordType::truncate) {
    return {};
  }
  const auto replica = TRY(open(record.partition));
  return replica->replay(record, position);
}

Result<std::vector<proto::ReplicaLog>> ReplicaSet::logs() {
  const auto key_of = [](uint32_t slot) {
    std::string key;
    append_be<uint16_t>(key, static_cast<uint16_t>(slot));
    return key;
  };
  // The replay has opened those of which the journal holds records; the others have rows.
  const uint32_t slots_end = 1 + kPartitionsMax * kGenerations;
  auto row = seams_.kv.scan(key_of(1), key_of(slots_end));
  while (row->valid()) {
    const uint32_t slot = load_be<uint16_t>(row->key().data());
    TRY(open(PartitionId((slot - 1) % kPartitionsMax)));
    row->seek(key_of(slot + 1));
  }
  TRY(row->status());
  std::vector<proto::ReplicaLog> logs;
  for (const auto& [id, replica] : replicas_) {
    if (replica->log().last() > Lsn{}) logs.push_back(replica->extent());
  }
  return logs;
}

void ReplicaSet::start(journal::Journal& journal) {
  journal_ = &journal;
  started_ = seams_.clock.now();
  on_map();
  seams_.map.observe([this, alive = std::weak_ptr(alive_)](const cluster::MapPtr&) {
    if (!alive.expired()) on_map();
  });
  gate_.spawn("beacons", beacon_loop());
  gate_.spawn("configurations", look_loop());
}

Task<> ReplicaSet::hand_over() {
  if (std::exchange(stopping_, true)) co_return Result<>{};
  std::vector<proto::PartitionChange> changes;
  const cluster::MapPtr map = seams_.map.get();
  for (const auto& [id, replica] : replicas_) {
    const bool led = replica->role() == Role::primary && replica->answerable();
    replica->stop({Errc::unavailable, "the blade is stopping"});
    if (!led) continue;
    const auto& members = replica->config().replicas();
    const auto heir = std::ranges::find_if(members, [&](uint32_t member) {
      return member != options_.self.value && map->alive(BladeId(member));
    });
    if (heir != members.end()) changes.push_back(place_for(*replica, BladeId(*heir)));
  }
  if (!changes.empty()) {
    const Result<> asked = co_await seams_.change(std::move(changes));
    if (!asked.ok()) log::info("partitions were not handed over: {}", asked.error().text());
  }
  co_return Result<>{};
}

Task<> ReplicaSet::stop() {
  CO_TRY(co_await hand_over());
  for (auto& [change, decided] : std::exchange(undecided_, {})) {
    decided.set(fail(Errc::closed, "the blade is stopping"));
  }
  for (auto& waiter : std::exchange(flush_waiters_, {})) {
    waiter.set(fail(Errc::closed, "the blade is stopping"));
  }
  co_return co_await gate_.close();
}

// --- the map -----------------------------------------------------------------------------------

void ReplicaSet::on_map() {
  if (stopping_) return;
  const cluster::MapPtr map = seams_.map.get();
  if (map == nullptr) return;
  std::vector<PartitionId> unwanted;
  for (int i = 0; i < map->record().partitions_size(); ++i) {
    const proto::Partition& config = map->record().partitions(i);
    const PartitionId id(static_cast<uint32_t>(i));
    const auto names_self = [&](const auto& blades) {
      return std::ranges::find(blades, options_.self.value) != blades.end();
    };
    const bool in_sync = config.primary() == options_.self.value || names_self(config.replicas());
    const bool wanted = names_self(config.wanted());
    const auto held = replicas_.find(id);
    if (held == replicas_.end() && !in_sync && !wanted) continue;
    const auto replica = open(id);
    if (!replica.ok()) return fail_with(replica.error());
    (*replica)->learn(config);
    // Others have all of it: what is here is of no use.
    const bool complete = std::ranges::all_of(config.wanted(), [&](uint32_t blade) {
      return std::ranges::find(config.replicas(), blade) != config.replicas().end();
    });
    if (!in_sync && !wanted && complete && config.wanted_size() > 0) unwanted.push_back(id);
  }
  for (const PartitionId id : unwanted) discard(id);
  send_beacons();
  start_joins();
}

void ReplicaSet::discard(PartitionId id) {
  const auto found = replicas_.find(id);
  found->second->stop({Errc::closed, "the partition has moved away"});
  kv::WriteBatch batch;
  const auto [first, end] = found->second->machine()->rows();
  batch.remove_range(first, end);
  batch.remove(generation_key(id));
  replicas_.erase(found);
  const Result<> written = seams_.kv.write(std::move(batch));
  if (!written.ok()) fail_with(written.error());
}

journal::Position ReplicaSet::unapplied_from(journal::Position end) const {
  for (const auto& [id, replica] : replicas_) end = replica->unapplied_from(end);
  return end;
}

void ReplicaSet::carry_forward(journal::Position position) {
  for (const auto& [id, replica] : replicas_) {
    if (replica->unapplied_from(position) < position) replica->carry_forward();
  }
}

proto::PartitionChange ReplicaSet::change_of(const Replica& replica) const {
  proto::PartitionChange change;
  change.set_partition(replica.id().value);
  change.set_expected_term(replica.config().term());
  change.set_primary(replica.config().primary());
  *change.mutable_replicas() = replica.config().replicas();
  return change;
}

proto::PartitionChange ReplicaSet::place_for(const Replica& replica, BladeId heir) const {
  const cluster::MapPtr map = seams_.map.get();
  proto::PartitionChange change = change_of(replica);
  change.set_primary(heir.value);
  change.clear_replicas();
  for (const uint32_t member : replica.config().replicas()) {
    if (member != options_.self.value && map->alive(BladeId(member))) change.add_replicas(member);
  }
  return change;
}

Task<> ReplicaSet::flush() {
  OneShot<> done(seams_.executor);
  flush_waiters_.push_back(done);
  if (!std::exchange(flushing_, true)) {
    gate_.spawn("flush", [](ReplicaSet* set) -> Task<> {
      while (!set->flush_waiters_.empty() && !set->stopping_) {
        CO_TRY(co_await set->seams_.clock.sleep_for(kFlushGather));
        auto waiters = std::exchange(set->flush_waiters_, {});
        const Result<> flushed = co_await set->seams_.kv.flush();
        for (OneShot<>& waiter : waiters) waiter.set(flushed);
        if (!flushed.ok()) set->fail_with(flushed.error());
      }
      set->flushing_ = false;
      co_return Result<>{};
    }(this));
  }
  return done.wait();
}

// --- the log's way to other blades -------------------------------------------------------------

void ReplicaSet::stream(BladeId blade, PartitionId id) {
  Peer& peer = peers_[blade];
  peer.dirty.insert(id);
  if (peer.streams >= kStreams || std::exchange(peer.gathering, true)) return;
  ++peer.streams;
  gate_.spawn("stream", stream_to(blade));
}

/// kStreams messages at a time: what comes meanwhile goes with the next, for all partitions.
Task<> ReplicaSet::stream_to(BladeId blade) {
  UseAwaitable token;
  co_await asio::post(seams_.executor, token);  // what is ready now shares the first message
  Peer& peer = peers_[blade];
  peer.gathering = false;
  while (!peer.dirty.empty() && !stopping_) {
    const Result<> sent = co_await send_runs(blade);
    if (!sent.ok() && stops_run(sent.error())) break;
  }
  --peer.streams;
  co_return Result<>{};
}

Task<> ReplicaSet::send_runs(BladeId blade) {
  std::vector<std::shared_ptr<Replica>> replicas;
  proto::ReplicaAppendRequest request;
  request.set_blade(options_.self.value);
  std::vector<std::shared_ptr<const std::string>> payloads;
  uint64_t bytes = 0;
  auto& dirty = peers_[blade].dirty;
  while (!dirty.empty() && bytes < options_.append_bytes_max) {
    const PartitionId id = *dirty.begin();
    const std::shared_ptr<Replica> replica = find(id);
    const size_t before = payloads.size();
    proto::ReplicaRun run;
    const bool some = replica != nullptr &&
                      replica->next_run(blade, options_.append_bytes_max - bytes, &run, &payloads);
    if (!some) {
      dirty.erase(dirty.begin());
      continue;
    }
    for (size_t i = before; i < payloads.size(); ++i) bytes += payloads[i]->size();
    replicas.push_back(replica);
    *request.add_runs() = std::move(run);
  }
  if (replicas.empty()) co_return Result<>{};
  rpc::Request message;
  message.type = proto::REPLICA_APPEND;
  message.body = request.SerializeAsString();
  message.payload = Buffer::allocate(bytes);
  uint64_t at = 0;
  for (const auto& payload : payloads) {
    std::memcpy(message.payload.data() + at, payload->data(), payload->size());
    at += payload->size();
  }
  const auto answer =
      co_await seams_.call(blade, std::move(message), seams_.clock.now() + options_.call);
  proto::ReplicaAppendReply reply;
  const bool heard = answer.ok() && reply.ParseFromString(answer->body) &&
                     reply.runs_size() == request.runs_size();
  for (int i = 0; i < request.runs_size(); ++i) {
    proto::ReplicaRunReply failed;
    failed.set_error_code(static_cast<int>(Errc::unavailable));
    replicas[static_cast<size_t>(i)]->run_answered(blade, request.runs(i),
                                                   heard ? reply.runs(i) : failed);
  }
  co_return Result<>{};
}

// --- leases --------------------------------------------------------------------------------------

Task<> ReplicaSet::beacon_loop() {
  while (!stopping_) {
    send_beacons();
    CO_TRY(co_await seams_.clock.sleep_until(next_tick(seams_.clock.now(), options_.beacon)));
  }
  co_return Result<>{};
}

void ReplicaSet::send_beacons() {
  if (stopping_) return;
  std::map<BladeId, proto::ReplicaBeaconRequest> requests;
  for (const auto& [id, replica] : replicas_) {
    if (replica->role() != Role::primary) continue;
    for (const auto& [blade, follower] : replica->followers()) {
      if (!follower.counts) continue;
      proto::ReplicaLease& lease = *requests[blade].add_leases();
      lease.set_partition(id.value);
      lease.set_term(replica->term().value);
      lease.set_committed_lsn(replica->committed().value);
      if (follower.synced) lease.set_number(follower.number);
    }
  }
  constexpr int kOnTheirWay = 3;
  for (auto& [blade, request] : requests) {
    if (peers_[blade].beacons >= kOnTheirWay) continue;
    ++peers_[blade].beacons;
    request.set_blade(options_.self.value);
    gate_.spawn("beacon", send_beacon(blade, std::move(request)));
  }
}

Task<> ReplicaSet::send_beacon(BladeId blade, proto::ReplicaBeaconRequest request) {
  const TimePoint sent = seams_.clock.now();
  rpc::Request message;
  message.type = proto::REPLICA_BEACON;
  message.body = request.SerializeAsString();
  const auto answer = co_await seams_.call(blade, std::move(message), sent + options_.call);
  --peers_[blade].beacons;
  proto::ReplicaBeaconReply reply;
  if (!answer.ok() || !reply.ParseFromString(answer->body)) co_return Result<>{};
  for (int i = 0; i < std::min(reply.granted_size(), request.leases_size()); ++i) {
    if (!reply.granted(i)) continue;
    const proto::ReplicaLease& lease = request.leases(i);
    const auto replica = find(PartitionId(lease.partition()));
    if (replica == nullptr) continue;
    replica->lease_granted(blade, Term(lease.term()), sent + options_.lease);
    // An idle partition would not notice otherwise: no entry goes there that could be refused.
    if (i < reply.out_of_step_size() && reply.out_of_step(i)) {
      replica->out_of_step(blade, Term(lease.term()), lease.number());
    }
  }
  co_return Result<>{};
}

}  // namespace turbine::replica
