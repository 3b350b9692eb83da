// Manager: the plan of partitions, and the changes that their members ask for.
#include "base/log.hpp"
#include "cluster/manager.hpp"
#include "cluster/map_record.hpp"
#include "cluster/partition_change.hpp"
#include "cluster/planner.hpp"

namespace turbine::cluster {
namespace {

/// The blades that the plans are made for: those of the layouts that are to stay.
std::vector<BladeHost> planned_blades(const proto::ClusterMap& map) {
  std::set<uint32_t> laid_out;
  for (const proto::Layout& layout : map.layouts()) {
    for (const proto::Group& group : layout.groups()) {
      laid_out.insert(group.blades().begin(), group.blades().end());
    }
  }
  std::vector<BladeHost> blades;
  for (const proto::Blade& blade : map.blades()) {
    const bool leaves =
        blade.state() == proto::BLADE_DRAINING || blade.state() == proto::BLADE_EVACUATED;
    if (!leaves && laid_out.contains(blade.id())) {
      blades.push_back({BladeId(blade.id()), blade.host()});
    }
  }
  return blades;
}

Members to_members(const google::protobuf::RepeatedField<uint32_t>& ids) {
  Members members;
  for (const uint32_t id : ids) members.emplace_back(id);
  return members;
}

}  // namespace

void Manager::plan_if_complete(proto::ClusterMap& map, const proto::ArrayCounters& counters) {
  if (map.layouts_size() > 0) return;
  std::vector<BladeId> blades;
  for (const proto::Blade& blade : map.blades()) blades.emplace_back(blade.id());
  if (blades.size() < counters.expected_blades()) return;
  std::ranges::sort(blades);
  for (proto::Layout& layout : plan_layouts(blades, 1, options_.groups_per_layout)) {
    *map.add_layouts() = std::move(layout);
  }
  for (const Members& members : home_plan(planned_blades(map), counters.partition_count())) {
    // Empty, so all replicas are in sync.
    proto::Partition* partition = map.add_partitions();
    partition->set_primary(members[0].value);
    for (const BladeId blade : members) partition->add_replicas(blade.value);
    partition->set_term(1);
  }
  log::info("planned {} partitions and {} layouts over {} blades", map.partitions_size(),
            map.layouts_size(), blades.size());
}

const std::vector<Members>& Manager::home_plan(std::vector<BladeHost> blades,
                                               uint32_t partition_count) {
  if (home_plan_.size() != partition_count || home_blades_ != blades) {
    home_plan_ = plan_replicas(partition_count, blades, options_.replica_count);
    home_blades_ = std::move(blades);
  }
  return home_plan_;
}

bool Manager::keep_wanted(proto::ClusterMap& map) {
  std::vector<BladeHost> blades = planned_blades(map);
  if (map.partitions_size() == 0 || blades.empty()) return false;
  const std::vector<Members>& home =
      home_plan(blades, static_cast<uint32_t>(map.partitions_size()));
  std::vector<Members> replicas, before;
  for (const proto::Partition& partition : map.partitions()) {
    replicas.push_back(to_members(partition.replicas()));
    before.push_back(to_members(partition.wanted()));
  }
  ReplicaSituation now{.home = home, .replicas = replicas, .before = before};
  now.replan_delay = options_.replan_delay;
  for (const proto::Blade& blade : map.blades()) {
    if (is_up(blade.state())) continue;
    const auto since = dead_since_.find(blade.id());
    now.dead[BladeId(blade.id())] =
        since == dead_since_.end() ? Duration{} : clock_.now() - since->second;
  }
  std::erase_if(blades, [&now](const BladeHost& blade) { return now.dead.contains(blade.id); });
  now.live = std::move(blades);
  const std::vector<Members> wanted = wanted_now(now);
  bool changed = false;
  for (size_t p = 0; p < wanted.size(); ++p) {
    if (wanted[p] == before[p]) continue;
    proto::Partition* partition = map.mutable_partitions(static_cast<int>(p));
    partition->clear_wanted();
    for (const BladeId blade : wanted[p]) partition->add_wanted(blade.value);
    changed = true;
  }
  return changed;
}

void Manager::note_deaths() {
  const TimePoint now = clock_.now();
  for (const proto::Blade& blade : map_->record().blades()) {
    if (is_up(blade.state())) {
      dead_since_.erase(blade.id());
    } else if (dead_since_.try_emplace(blade.id(), now).second) {
      replan_due_ = std::min(replan_due_, now + options_.replan_delay);
    }
  }
}

Task<> Manager::replan() {
  CO_TRY(co_await change([this](proto::ClusterMap& map, proto::ArrayCounters& counters) {
    return Result<bool>(!counters.has_restoration() && keep_wanted(map));
  }));
  replan_due_ = TimePoint::max();
  for (const auto& [blade, since] : dead_since_) {
    const TimePoint due = since + options_.replan_delay;
    if (due > clock_.now()) replan_due_ = std::min(replan_due_, due);
  }
  co_return Result<>{};
}

/// Whether something is to be changed; what is refused is told in the reply.
bool Manager::apply(proto::ClusterMap& map, AskedChanges& asked) {
  const uint32_t id = asked.request.blade_id();
  asked.reply.clear_refused();
  asked.outcome.reset();
  const proto::Blade* issuer = find_blade(map, id);
  if (issuer == nullptr || issuer->session() != asked.request.session() ||
      !is_up(issuer->state())) {
    asked.outcome = fail(Errc::denied, "fenced: blade {} is not in session {} (any more)", id,
                         asked.request.session());
    return false;
  }
  bool changed = false;
  for (const proto::PartitionChange& change : asked.request.changes()) {
    Result<> done = apply_change(map, BladeId(id), change);
    changed = changed || done.ok();
    if (!done.ok()) asked.reply.add_refused(std::move(done.error().context));
  }
  return changed;
}

/// With one_change_ held.
Task<> Manager::decide_asked() {
  const auto all = std::exchange(asked_, {});
  const Result<> done =
      co_await change_locked([&all](proto::ClusterMap& map, proto::ArrayCounters&) {
        bool changed = false;
        for (const auto& each : all) changed = apply(map, *each) || changed;
        return Result<bool>(changed);
      });
  for (const auto& each : all) {
    if (!each->outcome.has_value()) each->outcome = done;
  }
  co_return Result<>{};
}

auto Manager::change_partitions(proto::ChangePartitionsRequest request)
    -> Answer<proto::ChangePartitionsReply> {
  const auto own = std::make_shared<AskedChanges>();
  own->request = std::move(request);
  asked_.push_back(own);
  CO_TRY(co_await one_change_.acquire());
  if (!own->outcome.has_value()) (void)co_await decide_asked();
  one_change_.release();
  CO_TRY(*own->outcome);
  for (const std::string& reason : own->reply.refused()) {
    log::debug("blade {} asked for a change that was refused: {}", own->request.blade_id(), reason);
  }
  rpc::With<proto::ChangePartitionsReply> reply;
  reply.body = std::move(own->reply);
  *reply.body.mutable_map() = without_keys(map_->record());
  co_return reply;
}

}  // namespace turbine::cluster
