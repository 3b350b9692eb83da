// When a replica asks for another configuration of its partition: the part of ReplicaSet that
// looks after leases, dead members, joiners and the plan.
#include <algorithm>

#include "base/log.hpp"
#include "base/tick.hpp"
#include "replica/replica_set.hpp"

namespace turbine::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kAskAgain = milliseconds(1000);
constexpr auto kJoinPause = milliseconds(500);
constexpr auto kSettled = seconds(3);  // before the primary's place is given to the planned one

}  // namespace

Task<> ReplicaSet::look_loop() {
  while (!stopping_) {
    look();
    start_joins();
    CO_TRY(co_await seams_.clock.sleep_until(next_tick(seams_.clock.now(), options_.look)));
  }
  co_return Result<>{};
}

void ReplicaSet::look() {
  const TimePoint now = seams_.clock.now();
  std::vector<proto::PartitionChange> changes;
  for (const auto& [id, replica] : replicas_) {
    const auto asked = asked_.find(id);
    if (asked != asked_.end() && asked->second.first == replica->term() &&
        (deciding_ || now < asked->second.second + kAskAgain)) {
      continue;
    }
    std::optional<proto::PartitionChange> change;
    if (replica->role() == Role::member) {
      change = wants_to_lead(*replica);
      if (change.has_value()) replica->note_takeover();
    } else if (replica->role() == Role::primary) {
      change = wants_change(*replica);
    }
    if (!change.has_value()) continue;
    asked_.insert_or_assign(id, std::pair(replica->term(), now));
    changes.push_back(std::move(*change));
  }
  for (auto& change : changes) gate_.spawn("configuration", ask_and_note(std::move(change)));
}

Task<> ReplicaSet::decide(proto::PartitionChange change) {
  OneShot<> decided(seams_.executor);
  undecided_.emplace_back(std::move(change), decided);
  if (!std::exchange(deciding_, true)) gate_.spawn("configurations", send_changes());
  return decided.wait();
}

Task<> ReplicaSet::send_changes() {
  while (!undecided_.empty() && !stopping_) {
    auto asked = std::exchange(undecided_, {});
    std::vector<proto::PartitionChange> changes;
    changes.reserve(asked.size());
    for (auto& [change, decided] : asked) changes.push_back(std::move(change));
    const Result<> done = co_await seams_.change(std::move(changes));
    if (!done.ok() && !stopping_) {
      log::info("{} configurations were not decided: {}", asked.size(), done.error().text());
    }
    for (auto& [change, decided] : asked) decided.set(done);
  }
  deciding_ = false;
  co_return Result<>{};
}

Task<> ReplicaSet::ask_and_note(proto::PartitionChange change) {
  const PartitionId id(change.partition());
  const Term term(change.expected_term());
  const Result<> asked = co_await decide(std::move(change));
  const bool in_vain = asked.failed_with(Errc::unavailable) || asked.failed_with(Errc::busy);
  if (const auto replica = find(id)) replica->takeover_answered(term, in_vain);
  co_return Result<>{};
}

/// A member whose word to every primary has run out may take the place of a silent one.
std::optional<proto::PartitionChange> ReplicaSet::wants_to_lead(const Replica& replica) const {
  // What was granted before a restart is forgotten: nobody's word is that old.
  const TimePoint free = std::max(replica.granted_until(), started_ + options_.grace);
  if (seams_.clock.now() < free) return std::nullopt;
  const cluster::MapPtr map = seams_.map.get();
  Duration turn{};
  for (const uint32_t member : replica.config().replicas()) {
    if (member == options_.self.value) break;
    if (member != replica.config().primary() && map->alive(BladeId(member))) turn += options_.turn;
  }
  if (seams_.clock.now() < free + turn) return std::nullopt;
  proto::PartitionChange change = change_of(replica);
  change.set_primary(options_.self.value);
  change.clear_replicas();
  for (const uint32_t member : replica.config().replicas()) {
    const bool stays = member == options_.self.value || map->alive(BladeId(member));
    if (stays && member != replica.config().primary()) change.add_replicas(member);
  }
  return change;
}

/// The primary drops members that are gone, ends what an undecided joiner left, and follows the
/// plan.
std::optional<proto::PartitionChange> ReplicaSet::wants_change(Replica& replica) {
  const cluster::MapPtr map = seams_.map.get();
  const TimePoint now = seams_.clock.now();
  if (replica.overtaken_by() != BladeId{}) {
    log::error(
        "partition {}: blade {} has entries that this one lacks, so what is here is an old copy: "
        "blade {} takes over, and this one gets everything again",
        replica.id(), replica.overtaken_by(), replica.overtaken_by());
    return place_for(replica, replica.overtaken_by());
  }
  auto& followers = replica.followers();
  const auto stuck_since = replica.journal_stuck_since();
  const bool stuck = stuck_since.has_value() && now > *stuck_since + options_.stuck;
  if (stuck) {
    const auto heir = std::ranges::find_if(followers, [&](const auto& each) {
      return each.second.in_sync && each.second.synced && map->alive(each.first) &&
             each.second.durable == replica.log().last();
    });
    if (heir == followers.end()) return std::nullopt;  // all devices are slow
    log::warn("partition {}: the own device takes nothing, blade {} goes on in its place",
              replica.id(), heir->first);
    return place_for(replica, heir->first);
  }
  proto::PartitionChange change = change_of(replica);
  change.clear_replicas();
  change.add_replicas(options_.self.value);
  bool changes = false;
  bool in_step = true;
  for (auto& [blade, follower] : followers) {
    // Where the own device is slow as well, it is not the other one's fault.
    const bool has_all = follower.synced && follower.durable == replica.log().last();
    if (has_all || (stuck_since.has_value() && now > *stuck_since + options_.look)) {
      follower.moved_at = now;
    }
    const TimePoint heard = std::max(follower.lease_until, follower.counts_since + options_.lease);
    const bool gone = follower.lost || !map->alive(blade) || now > heard + options_.lease / 2 ||
                      now > follower.moved_at + options_.stuck;
    in_step = in_step && follower.counts && follower.synced && !gone;
    if (!follower.counts) continue;
    if (follower.in_sync && !gone) change.add_replicas(blade.value);
    // A joiner that counts and is not being waited for any more: decide without it.
    if (gone || (!follower.in_sync && !replica.joining())) changes = true;
  }
  if (changes) return change;
  if (replica.joining() || !in_step || now < replica.reign_since() + kSettled) return std::nullopt;
  const auto& wanted = replica.config().wanted();
  const bool complete = std::ranges::all_of(
      wanted, [&](uint32_t blade) { return replica.is_in_sync(BladeId(blade)); });
  if (wanted.empty() || !complete) return std::nullopt;
  if (static_cast<uint32_t>(wanted[0]) != options_.self.value) {
    change.set_primary(wanted[0]);
    return change;
  }
  if (replica.config().replicas_size() == wanted.size()) return std::nullopt;
  *change.mutable_replicas() = wanted;
  return change;
}

void ReplicaSet::start_joins() {
  if (stopping_ || joins_ >= options_.joins_at_once) return;
  const cluster::MapPtr map = seams_.map.get();
  const TimePoint now = seams_.clock.now();
  struct Candidate {
    int replicas;
    std::shared_ptr<Replica> replica;
    BladeId blade;
  };
  std::vector<Candidate> candidates;
  for (const auto& [id, replica] : replicas_) {
    if (replica->role() != Role::primary || replica->joining() || !replica->answerable()) continue;
    const auto after = join_after_.find(id);
    if (after != join_after_.end() && now < after->second) continue;
    for (const uint32_t wanted : replica->config().wanted()) {
      const BladeId blade(wanted);
      if (replica->is_in_sync(blade) || !map->alive(blade)) continue;
      if (replica->followers().contains(blade)) continue;
      candidates.push_back({replica->config().replicas_size(), replica, blade});
      break;
    }
  }
  // Most endangered first.
  std::ranges::sort(candidates, {}, [](const Candidate& each) {
    return std::pair(each.replicas, each.replica->id());
  });
  for (Candidate& each : candidates) {
    if (joins_ >= options_.joins_at_once) break;
    ++joins_;
    gate_.spawn("join", run_join(std::move(each.replica), each.blade));
  }
}

Task<> ReplicaSet::run_join(std::shared_ptr<Replica> replica, BladeId blade) {
  const Result<> joined = co_await replica->join(blade);
  --joins_;
  if (!joined.ok()) {
    if (!stopping_) log::info("{}", joined.error().text());
    join_after_.insert_or_assign(replica->id(), seams_.clock.now() + kJoinPause);
  } else {
    join_after_.erase(replica->id());
  }
  start_joins();
  co_return Result<>{};
}

}  // namespace turbine::replica
