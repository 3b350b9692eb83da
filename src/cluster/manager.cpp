#include "cluster/manager.hpp"

#include "base/log.hpp"
#include "cluster/array_records.hpp"
#include "cluster/map_record.hpp"
#include "cluster/old_copy.hpp"
#include "cluster/partition_change.hpp"
#include "cluster/restoration.hpp"
#include "cluster/settled_txn.hpp"
#include "proto/rpc.pb.h"

namespace turbine::cluster {
namespace {

using std::chrono::milliseconds;

constexpr int kConflictRetries = 4;
constexpr uint32_t kPollWaitMsMax = 30'000;
constexpr int kLooksPerSilence = 8;

}  // namespace

Manager::Manager(ClusterStore& store, Clock& clock, ManagerOptions options)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      gate_(clock.executor()),
      one_change_(clock.executor(), 1),
      self_(std::make_shared<Manager*>(this)) {}

Manager::~Manager() = default;

uint64_t Manager::wall_ms() const {
  return static_cast<uint64_t>(clock_.wall_now().ns / 1'000'000);
}

// --- start and stop --------------------------------------------------------------------------

Task<> Manager::start() {
  CO_TRY(co_await reload());
  if (!map_) CO_TRY(co_await create_array());
  CO_TRY(co_await complete_nfs_settings());
  // Nobody was heard while no manager ran: everyone gets a full silence to report, and before it
  // the time to find this manager.
  for (const proto::Blade& blade : map_->record().blades()) {
    if (is_up(blade.state())) alive_[blade.id()].last_seen = clock_.now() + options_.find_time;
  }
  replan_due_ = clock_.now();  // another number of replicas may be configured than before
  gate_.spawn("watch blades", watch_blades());
  co_return Result<>{};
}

Task<> Manager::stop() {
  auto closed = gate_.close();
  for (auto& poll : std::exchange(polls_, {})) poll.set({});
  co_return co_await std::move(closed);
}

Task<> Manager::reload() {
  const std::optional<StoreRecord> map = CO_TRY(co_await store_.get(kMapKey));
  const std::optional<StoreRecord> counters = CO_TRY(co_await store_.get(kCountersKey));
  if (!map && !counters) co_return Result<>{};
  proto::ClusterMap record;
  if (!map || !counters || !record.ParseFromString(map->value) ||
      !counters_.ParseFromString(counters->value)) {
    co_return fail(Errc::corrupt, "the cluster store's records of the array do not parse");
  }
  map_revision_ = map->revision;
  counters_revision_ = counters->revision;
  publish(std::move(record));
  co_return Result<>{};
}

Task<> Manager::create_array() {
  proto::ClusterMap map;
  map.set_array_id(options_.array_id);
  if (options_.array_id.empty()) {
    map.set_array_id(fmt::format("{:016x}{:016x}", options_.random(), options_.random()));
  }
  map.set_array_name(options_.array_name);
  map.set_region(options_.region);
  proto::User* root = map.add_users();
  root->set_id(1);
  root->set_name("root");
  root->set_root(true);
  root->set_created_ms(wall_ms());
  proto::AccessKey& key = *map.add_keys();
  key = make_key(1);
  if (!options_.root_access_key.empty()) {
    key.set_access_key(options_.root_access_key);
    key.set_secret_key(options_.root_secret_key);
  }
  *map.mutable_nfs() = make_nfs_settings();
  counters_.set_next_session(1);
  counters_.set_next_blade(1);
  counters_.set_next_user(2);
  counters_.set_expected_blades(options_.expected_blades);
  counters_.set_partition_count(options_.partition_count);
  map_ = std::make_shared<const ClusterMap>(proto::ClusterMap());
  co_return co_await change([map](proto::ClusterMap& fresh, proto::ArrayCounters&) {
    fresh = map;
    return Result<bool>(true);
  });
}

// --- changes ---------------------------------------------------------------------------------

Task<> Manager::change(Mutation mutation) {
  CO_TRY(co_await one_change_.acquire());
  Result<> done = co_await change_locked(std::move(mutation));
  one_change_.release();
  co_return done;
}

Task<> Manager::change_locked(Mutation mutation) {
  for (int attempt = 0; attempt < kConflictRetries; ++attempt) {
    proto::ClusterMap map = map_->record();
    proto::ArrayCounters counters = counters_;
    if (!CO_TRY(mutation(map, counters))) co_return Result<>{};
    if (!counters.has_restoration()) keep_wanted(map);
    const bool map_changed = map.SerializeAsString() != map_->record().SerializeAsString();
    if (map_changed) map.set_epoch(map_->record().epoch() + 1);
    std::vector<StoreCompare> compares{{kMapKey, map_revision_},
                                       {kCountersKey, counters_revision_}};
    std::vector<StorePut> puts{{kCountersKey, counters.SerializeAsString()}};
    if (map_changed) puts.push_back({kMapKey, map.SerializeAsString()});
    Result<uint64_t> revision = co_await settled_txn(store_, std::move(compares), std::move(puts));
    if (revision.failed_with(Errc::conflict)) {
      CO_TRY(co_await reload());
      continue;
    }
    if (!revision.ok()) {
      // Errc::io: it may be there when the store is opened again.
      const bool unknown = revision.failed_with(Errc::timeout) || revision.failed_with(Errc::io);
      co_return fail(unknown ? Errc::timeout : Errc::unavailable, "the cluster store: {}",
                     revision.error().context);
    }
    counters_ = std::move(counters);
    counters_revision_ = *revision;
    if (map_changed) {
      map_revision_ = *revision;
      publish(std::move(map));
    }
    co_return Result<>{};
  }
  co_return fail(Errc::busy, "the cluster store is changed by another manager all the time");
}

void Manager::publish(proto::ClusterMap map) {
  map_ = std::make_shared<const ClusterMap>(std::move(map));
  note_deaths();
  for (auto& poll : std::exchange(polls_, {})) poll.set({});
}

// --- life and death of blades ----------------------------------------------------------------

Task<> Manager::watch_blades() {
  const Duration pause = options_.silence / kLooksPerSilence;
  while (!gate_.closing()) {
    const TimePoint due = clock_.now() + pause;
    CO_TRY(co_await clock_.sleep_until(due));
    // If this process was held up, so were the heartbeats that wait in its sockets.
    const Duration late = clock_.now() - due;
    if (late > pause) {
      for (auto& [id, alive] : alive_) alive.last_seen += late;
    }
    std::vector<std::pair<uint32_t, uint64_t>> silent;
    for (const proto::Blade& blade : map_->record().blades()) {
      const auto found = alive_.find(blade.id());
      if (!is_up(blade.state()) || found == alive_.end()) continue;
      if (clock_.now() - found->second.last_seen > options_.silence) {
        silent.emplace_back(blade.id(), blade.session());
      }
    }
    for (const auto& [id, session] : silent) {
      Result<> marked = co_await mark_dead(
          id, session, fmt::format("silent for {} ms", options_.silence / milliseconds(1)));
      if (!marked.ok()) log::error("blade {} is dead, but: {}", id, marked.error().text());
    }
    if (clock_.now() < replan_due_) continue;
    const Result<> planned = co_await replan();
    if (!planned.ok()) log::error("replicas are not planned anew: {}", planned.error().text());
  }
  co_return Result<>{};
}

void Manager::heard(uint32_t blade, uint64_t session, std::shared_ptr<rpc::PeerLink> link) {
  Alive& alive = alive_[blade];
  alive.last_seen = clock_.now();
  if (link == nullptr || alive.link == link) return;
  alive.link = link;
  const std::weak_ptr<Manager*> self = self_;
  link->on_lost([self, blade, session, lost = link.get()] {
    const auto manager = self.lock();
    // A blade that came back on another connection is not dead.
    if (!manager || (*manager)->alive_[blade].link.get() != lost) return;
    (*manager)->gate_.spawn("blade lost",
                            (*manager)->mark_dead(blade, session, "its connection broke"));
  });
}

Task<> Manager::mark_dead(uint32_t blade, uint64_t session, std::string why) {
  const uint64_t now_ms = wall_ms();
  co_return co_await change([=](proto::ClusterMap& map, proto::ArrayCounters&) {
    proto::Blade* found = find_blade(map, blade);
    if (found == nullptr || found->session() != session || !is_up(found->state())) {
      return Result<bool>(false);
    }
    log::warn("blade {} is dead: {}", blade, why);
    found->set_state(proto::BLADE_DEAD);
    found->set_state_since_ms(now_ms);
    return Result<bool>(true);
  });
}

Result<proto::Blade*> Manager::admit_blade(const proto::RegisterBladeRequest& request,
                                           proto::ClusterMap& map, proto::ArrayCounters& counters) {
  if (!request.array_id().empty() && request.array_id() != map.array_id()) {
    return fail(Errc::denied,
                "the device of blade {} belongs to array {}, this is array {}: attach the right "
                "device, or format this one if its data is not needed",
                request.blade_id(), request.array_id(), map.array_id());
  }
  proto::Blade* blade = nullptr;
  if (request.blade_id() != 0) {
    blade = find_blade(map, request.blade_id());
  } else {
    // A blade that crashed before it had noted its id asks again.
    for (proto::Blade& other : *map.mutable_blades()) {
      if (other.incarnation() == request.incarnation()) blade = &other;
    }
  }
  if (blade != nullptr && blade->incarnation() != request.incarnation()) {
    return fail(Errc::denied,
                "blade {} holds data of this array, but the device offered for it is {}: attach "
                "its own device; if that is lost, add this one as a new blade",
                blade->id(), request.array_id().empty() ? "blank" : "another one");
  }
  if (blade != nullptr) return blade;
  if (!request.array_id().empty()) {
    return fail(Errc::denied,
                "array {} does not know blade {}: its cluster store is older than this device; "
                "restore the newer store, or format the device",
                map.array_id(), request.blade_id());
  }
  if (counters.has_restoration()) {
    return fail(Errc::denied,
                "array {} is being restored from a backup that does not know this blade: blades "
                "are added when that has ended",
                map.array_id());
  }
  blade = map.add_blades();
  const uint32_t id = request.blade_id() != 0 ? request.blade_id() : counters.next_blade();
  blade->set_id(id);
  blade->set_incarnation(request.incarnation());
  counters.set_next_blade(std::max(counters.next_blade(), id + 1));
  blade->set_state(map.layouts_size() > 0 ? proto::BLADE_JOINING : proto::BLADE_HEALTHY);
  blade->set_state_since_ms(wall_ms());
  // In order of their ids, whoever registers first: that is how people read a list.
  std::sort(map.mutable_blades()->pointer_begin(), map.mutable_blades()->pointer_end(),
            [](const proto::Blade* a, const proto::Blade* b) { return a->id() < b->id(); });
  return blade;
}

// --- messages --------------------------------------------------------------------------------

auto Manager::register_blade(proto::RegisterBladeRequest request, rpc::CallInfo info)
    -> Answer<proto::RegisterBladeReply> {
  uint32_t id = 0;
  uint64_t session = 0;
  CO_TRY(
      co_await change([&](proto::ClusterMap& map, proto::ArrayCounters& counters) -> Result<bool> {
        proto::Blade* blade = TRY(admit_blade(request, map, counters));
        id = blade->id();
        session = counters.next_session();
        counters.set_next_session(session + 1);
        blade->set_session(session);
        blade->set_address(request.address());
        blade->set_host(request.host());
        blade->set_capacity_bytes(request.capacity_bytes());
        blade->set_used_bytes(request.used_bytes());
        blade->set_full(false);
        if (blade->state() == proto::BLADE_DEAD || blade->state() == proto::BLADE_SUSPECT) {
          blade->set_state(proto::BLADE_HEALTHY);
          blade->set_state_since_ms(wall_ms());
        }
        const auto heard_of = alive_.find(id);
        const bool noted = heard_of != alive_.end() && heard_of->second.note.has_value();
        const bool old = is_old_copy(
            *blade, noted ? heard_of->second.note->heartbeat.journal_position() : 0, request);
        if (old) {
          log::error(
              "blade {} comes back with an old copy of its data: other replicas take its place "
              "where there are any, and it gets everything again",
              id);
        }
        if (counters.has_restoration()) {
          TRY(take_logs(map, counters, request, id));
          (void)try_end_restoration(map, counters);
        }
        if (request.damaged() || old) drop_damaged(map, BladeId(id));
        if (!request.processes().empty()) blade->set_process(*request.processes().rbegin());
        reelect(map, BladeId(id));
        plan_if_complete(map, counters);
        return true;
      }));
  alive_[id] = Alive{};
  heard(id, session, std::move(info.link));
  log::info("blade {} registered from {} as session {}", id, request.address(), session);
  rpc::With<proto::RegisterBladeReply> reply;
  reply.body.set_blade_id(id);
  reply.body.set_array_id(map_->record().array_id());
  reply.body.set_session(session);
  *reply.body.mutable_map() = without_keys(map_->record());
  co_return reply;
}

auto Manager::blade_heartbeat(proto::BladeHeartbeatRequest request, rpc::CallInfo info)
    -> Answer<proto::BladeHeartbeatReply> {
  rpc::With<proto::BladeHeartbeatReply> reply;
  const proto::Blade* blade = map_->blade(BladeId(request.blade_id()));
  if (blade == nullptr || blade->session() != request.session() || !is_up(blade->state())) {
    reply.body.set_fenced(true);
    reply.body.set_map_epoch(map_->record().epoch());
    co_return reply;
  }
  const uint32_t id = request.blade_id();
  heard(id, request.session(), std::move(info.link));
  alive_[id].note = BladeNote{id, clock_.now(), request};
  const bool becomes_suspect = request.suspect() && blade->state() == proto::BLADE_HEALTHY;
  if (request.leaving()) {
    CO_TRY(co_await mark_dead(id, request.session(), "it was stopped"));
  } else if (becomes_suspect || request.full() != blade->full()) {
    if (becomes_suspect) log::warn("blade {} is suspect: {}", id, request.trouble());
    const uint64_t now_ms = wall_ms();
    CO_TRY(co_await change([&](proto::ClusterMap& map, proto::ArrayCounters&) {
      proto::Blade* found = find_blade(map, id);
      if (found == nullptr || found->session() != request.session()) return Result<bool>(false);
      found->set_full(request.full());
      found->set_used_bytes(request.used_bytes());
      found->set_capacity_bytes(request.capacity_bytes());
      if (becomes_suspect) {
        found->set_state(proto::BLADE_SUSPECT);
        found->set_state_since_ms(now_ms);
      }
      return Result<bool>(true);
    }));
  }
  reply.body.set_map_epoch(map_->record().epoch());
  co_return reply;
}

auto Manager::register_gateway(proto::RegisterGatewayRequest request)
    -> Answer<proto::RegisterGatewayReply> {
  uint64_t session = 0;
  CO_TRY(co_await change([&](proto::ClusterMap&, proto::ArrayCounters& counters) {
    session = counters.next_session();
    counters.set_next_session(session + 1);
    return Result<bool>(true);
  }));
  gateways_[session] = {session, request.name(), request.address(), request.nfs_address(),
                        clock_.now()};
  rpc::With<proto::RegisterGatewayReply> reply;
  reply.body.set_session(session);
  *reply.body.mutable_map() = map_->record();
  co_return reply;
}

auto Manager::gateway_heartbeat(proto::GatewayHeartbeatRequest request)
    -> Answer<proto::GatewayHeartbeatReply> {
  gateways_[request.session()] = {request.session(), request.name(), request.address(),
                                  request.nfs_address(), clock_.now()};
  std::erase_if(gateways_, [this](const auto& entry) {
    return clock_.now() - entry.second.last_seen > std::chrono::seconds(60);
  });
  rpc::With<proto::GatewayHeartbeatReply> reply;
  reply.body.set_map_epoch(map_->record().epoch());
  co_return reply;
}

auto Manager::get_map(proto::GetMapRequest request) -> Answer<proto::GetMapReply> {
  const TimePoint deadline =
      clock_.now() + milliseconds(std::min(request.wait_ms(), kPollWaitMsMax));
  while (map_->record().epoch() <= request.newer_than_epoch() && clock_.now() < deadline &&
         !gate_.closing()) {
    OneShot<> changed(clock_.executor());
    polls_.push_back(changed);
    Result<> woken = co_await changed.wait_until(clock_, deadline);
    if (!woken.ok()) std::erase_if(polls_, [](const OneShot<>& poll) { return poll.is_set(); });
  }
  // An error, so that the peers do not ask again in a tight loop.
  if (gate_.closing()) co_return fail(Errc::closed, "the manager is stopping");
  rpc::With<proto::GetMapReply> reply;
  if (map_->record().epoch() <= request.newer_than_epoch()) {
    reply.body.set_unchanged(true);
  } else if (request.keys()) {
    *reply.body.mutable_map() = map_->record();
  } else {
    *reply.body.mutable_map() = without_keys(map_->record());
  }
  co_return reply;
}

void Manager::serve(rpc::Dispatcher& dispatcher) {
  dispatcher.on<proto::RegisterBladeRequest, proto::RegisterBladeReply>(
      proto::REGISTER_BLADE, [this](proto::RegisterBladeRequest request, rpc::CallInfo info) {
        return register_blade(std::move(request), std::move(info));
      });
  dispatcher.on<proto::BladeHeartbeatRequest, proto::BladeHeartbeatReply>(
      proto::BLADE_HEARTBEAT, [this](proto::BladeHeartbeatRequest request, rpc::CallInfo info) {
        return blade_heartbeat(std::move(request), std::move(info));
      });
  dispatcher.on<proto::RegisterGatewayRequest, proto::RegisterGatewayReply>(
      proto::REGISTER_GATEWAY, [this](proto::RegisterGatewayRequest request, rpc::CallInfo) {
        return register_gateway(std::move(request));
      });
  dispatcher.on<proto::GatewayHeartbeatRequest, proto::GatewayHeartbeatReply>(
      proto::GATEWAY_HEARTBEAT, [this](proto::GatewayHeartbeatRequest request, rpc::CallInfo) {
        return gateway_heartbeat(std::move(request));
      });
  dispatcher.on<proto::ChangePartitionsRequest, proto::ChangePartitionsReply>(
      proto::CHANGE_PARTITIONS, [this](proto::ChangePartitionsRequest request, rpc::CallInfo) {
        return change_partitions(std::move(request));
      });
  dispatcher.on<proto::GetMapRequest, proto::GetMapReply>(
      proto::GET_MAP,
      [this](proto::GetMapRequest request, rpc::CallInfo) { return get_map(std::move(request)); });
}

}  // namespace turbine::cluster
