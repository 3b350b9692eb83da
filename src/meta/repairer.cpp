#include "meta/repairer.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "meta/partition_client.hpp"
#include "proto/chunk.pb.h"
#include "proto/rpc.pb.h"
#include "stripe/repair.hpp"

namespace turbine::meta {
namespace {

constexpr size_t kQueueMax = 200'000;
constexpr int kRepairsPerRound = 16;
constexpr int kCensusesPerRound = 64;  // of one partition at one blade
constexpr size_t kCensusBatch = 256;

}  // namespace

void Repairer::report(StripeId stripe, const std::set<uint32_t>& indexes) {
  if (queue_.size() >= kQueueMax && !queue_.contains(stripe)) return;
  queue_[stripe].indexes.insert(indexes.begin(), indexes.end());
  host_.repair_counters().set_stripes_waiting(queue_.size());
}

void Repairer::on_map(const cluster::ClusterMap& map) {
  for (const proto::Blade& blade : map.record().blades()) {
    const BladeId id(blade.id());
    if (!map.alive(id)) {
      // When it comes back it has a new session, and is asked.
      blade_sessions_.try_emplace(id, blade.session());
      continue;
    }
    const auto known = blade_sessions_.find(id);
    if (known != blade_sessions_.end() && known->second == blade.session()) continue;
    // One seen for the first time may have started just before this one and dropped shards at its
    // replay, which no scrub sees any more.
    for (const PartitionPtr& partition : host_.partitions()) {
      census_due_.emplace(partition->id(), id);
    }
    blade_sessions_[id] = blade.session();
  }
}

void Repairer::on_led(PartitionId partition) {
  for (const proto::Blade& blade : host_.seams().map.get()->record().blades()) {
    if (host_.seams().map.get()->alive(BladeId(blade.id()))) {
      census_due_.emplace(partition, BladeId(blade.id()));
    }
  }
}

Task<> Repairer::take_due_censuses() {
  auto due = std::exchange(census_due_, {});
  int asked = 0;
  for (auto it = due.begin(); it != due.end(); it = due.erase(it)) {
    const auto [id, blade] = *it;
    const auto partition = host_.admit(id);
    if (!partition.ok()) continue;  // another primary asks
    if (asked == kCensusesPerRound) break;
    ++asked;
    const Result<> done = co_await census_of(*partition, blade);
    if (done.ok()) continue;
    log::debug("census of blade {} for partition {}: {}", blade, id, done.error().text());
    if (host_.seams().shard_io.alive(blade)) census_due_.emplace(id, blade);
  }
  census_due_.merge(due);
  co_return Result<>{};
}

Task<> Repairer::run_once() {
  CO_TRY(co_await take_due_censuses());
  const TimePoint now = host_.seams().clock.now();
  std::vector<std::pair<StripeId, Item>> due;
  for (auto it = queue_.begin(); it != queue_.end() && due.size() < kRepairsPerRound;) {
    if (it->second.not_before > now) {
      ++it;
      continue;
    }
    due.emplace_back(it->first, std::move(it->second));
    it = queue_.erase(it);
  }
  for (auto& [id, item] : due) CO_TRY(co_await repair(id, std::move(item)));
  host_.repair_counters().set_stripes_waiting(queue_.size());
  co_return Result<>{};
}

void Repairer::again(StripeId id, Item item) {
  item.tries += 1;
  item.not_before =
      host_.seams().clock.now() + std::chrono::seconds(1) * (1 << std::min(item.tries, 6));
  queue_.insert_or_assign(id, std::move(item));
}

Task<> Repairer::repair(StripeId id, Item item) {
  const auto partition = host_.admit(id.home());
  if (!partition.ok()) co_return Result<>{};
  const auto record = CO_TRY(
      co_await load_record<proto::Stripe>((*partition)->kv(), (*partition)->keys().stripe(id)));
  const cluster::MapPtr map = host_.seams().map.get();
  const cluster::GroupView* group =
      record.has_value() ? map->group(GroupId(record->group())) : nullptr;
  if (group == nullptr || record->live_bytes() == 0) co_return Result<>{};
  const auto outcome = co_await stripe::repair_stripe(
      *record, *group, host_.seams().shard_io,
      std::vector<uint32_t>(item.indexes.begin(), item.indexes.end()));
  if (!outcome.ok()) {
    if (outcome.failed_with(Errc::io)) {
      lost_.insert(id);
      log::error("stripe {} is lost: {}", id, outcome.error().text());
    }
    log::debug("repair of stripe {}: {}", id, outcome.error().text());
    again(id, std::move(item));
    co_return Result<>{};
  }
  lost_.erase(id);
  proto::RepairStats& counters = host_.repair_counters();
  if (!outcome->repaired.empty()) {
    counters.set_stripes_repaired(counters.stripes_repaired() + 1);
    counters.set_bytes_repaired(counters.bytes_repaired() +
                                outcome->repaired.size() * record->shard_bytes());
  }
  if (outcome->generation > record->generation()) {
    proto::LogEntry entry;
    auto& repaired = *entry.add_mutations()->mutable_stripe_repaired();
    repaired.set_stripe(id.value);
    repaired.set_generation(outcome->generation);
    (void)co_await (*partition)->commit(std::move(entry));
  }
  // Shards on dead blades: the census after their return judges them.
  co_return Result<>{};
}

Task<> Repairer::census(BladeId blade) {
  for (const PartitionPtr& partition : host_.partitions()) {
    CO_TRY(co_await census_of(partition, blade));
  }
  co_return Result<>{};
}

Task<> Repairer::census_of(PartitionPtr partition, BladeId blade) {
  const Keys& keys = partition->keys();
  std::string from = keys.kind(Kind::stripe);
  for (;;) {
    std::vector<ShardId> expected;
    {
      const cluster::MapPtr map = host_.seams().map.get();
      auto it = partition->kv().scan(from, keys.kind_end(Kind::stripe));
      for (; it->valid() && expected.size() < kCensusBatch; it->next()) {
        const auto stripe = CO_TRY(parse_record<proto::Stripe>(it->key(), it->value()));
        const cluster::GroupView* group = map->group(GroupId(stripe.group()));
        if (group == nullptr || stripe.live_bytes() == 0) continue;
        const auto place = std::ranges::find(group->blades, blade);
        if (place == group->blades.end()) continue;
        const auto index = static_cast<uint8_t>(place - group->blades.begin());
        expected.push_back({StripeId(stripe.id()), index});
      }
      CO_TRY(it->status());
      from = it->valid() ? std::string(it->key()) : std::string();
    }
    if (!expected.empty()) CO_TRY(co_await ask(blade, std::move(expected)));
    if (from.empty()) co_return Result<>{};
  }
}

Task<> Repairer::ask(BladeId blade, std::vector<ShardId> expected) {
  proto::StatShardRequest request;
  for (const ShardId& shard : expected) {
    proto::ShardRef* ref = request.add_shards();
    ref->set_stripe(shard.stripe.value);
    ref->set_index(shard.index);
  }
  const auto reply = CO_TRY(co_await host_.seams().client.call_blade<proto::StatShardReply>(
      blade, proto::STAT_SHARD, std::move(request), std::chrono::seconds(5)));
  std::set<ShardId> there;
  for (const proto::ShardRecord& shard : reply.body.shards()) {
    there.insert({StripeId(shard.shard().stripe()), static_cast<uint8_t>(shard.shard().index())});
  }
  for (const ShardId& shard : expected) {
    if (!there.contains(shard)) report(shard.stripe, {shard.index});
  }
  co_return Result<>{};
}

}  // namespace turbine::meta
