#include "sim/final_check.hpp"

#include <map>
#include <set>

#include "meta/keys.hpp"
#include "meta/records.hpp"
#include "proto/meta_log.pb.h"
#include "sim/replica_check.hpp"

namespace turbine::sim {
namespace {

constexpr auto kPatience = std::chrono::minutes(5);
constexpr auto kLook = std::chrono::seconds(1);

/// A blade, and a shard on it.
using Place = std::pair<uint32_t, ShardId>;

struct Stored {
  std::set<Place> named, there;
  std::vector<std::string> wrong;
};

template <class... Args>
void say(Stored& stored, fmt::format_string<Args...> format, Args&&... args) {
  constexpr size_t kSaidMax = 20;
  if (stored.wrong.size() < kSaidMax) {
    stored.wrong.push_back(fmt::format(format, std::forward<Args>(args)...));
  }
}

template <class Record>
std::vector<std::pair<std::string, Record>> rows_of(const meta::PartitionPtr& partition,
                                                    meta::Kind kind) {
  std::vector<std::pair<std::string, Record>> rows;
  const meta::Keys& keys = partition->keys();
  auto it = partition->kv().scan(keys.kind(kind), keys.kind_end(kind));
  for (; it->valid(); it->next()) {
    auto record = meta::parse_record<Record>(it->key(), it->value());
    CHECK(record.ok());
    rows.emplace_back(it->key(), std::move(*record));
  }
  return rows;
}

size_t count_rows(const meta::PartitionPtr& partition, meta::Kind kind) {
  size_t count = 0;
  const meta::Keys& keys = partition->keys();
  for (auto it = partition->kv().scan(keys.kind(kind), keys.kind_end(kind)); it->valid();
       it->next()) {
    ++count;
  }
  return count;
}

/// The stripes of a partition, and whether their records agree with the contents'.
void look_at_stripes(const cluster::ClusterMap& map, const meta::PartitionPtr& partition,
                     Stored& stored) {
  std::map<uint64_t, uint64_t> referenced;  // bytes, by stripe
  for (const auto& [key, record] : rows_of<proto::ContentRecord>(partition, meta::Kind::content)) {
    if (record.extent().length() > 0)
      referenced[record.extent().stripe()] += record.extent().length();
  }
  for (const auto& [key, stripe] : rows_of<proto::Stripe>(partition, meta::Kind::stripe)) {
    const StripeId id(stripe.id());
    if (stripe.live_bytes() != referenced[stripe.id()]) {
      say(stored, "stripe {} says {} bytes live, {} are referenced", id, stripe.live_bytes(),
          referenced[stripe.id()]);
    }
    referenced.erase(stripe.id());
    if (stripe.live_bytes() == 0) say(stored, "stripe {} is dead and not freed", id);
    const cluster::GroupView* group = map.group(GroupId(stripe.group()));
    if (group == nullptr) {
      say(stored, "stripe {} lies in an unknown group", id);
      continue;
    }
    for (size_t i = 0; i < group->blades.size(); ++i) {
      stored.named.insert({group->blades[i].value, {id, static_cast<uint8_t>(i)}});
    }
  }
  for (const auto& [stripe, bytes] : referenced) {
    if (bytes > 0) say(stored, "contents refer to {}, which has no record", StripeId(stripe));
  }
}

/// What transactions, uploads and deletions leave for a while.
void look_at_leftovers(const meta::PartitionPtr& partition, bool empty, Stored& stored) {
  using meta::Kind;
  const auto expect_none = [&](Kind kind, const char* what) {
    const size_t count = count_rows(partition, kind);
    if (count > 0) say(stored, "partition {} keeps {} {}", partition->id(), count, what);
  };
  expect_none(Kind::intent, "intents");
  expect_none(Kind::free_queue, "stripes to be freed");
  expect_none(Kind::reap_queue, "inodes to be reaped");
  expect_none(Kind::trash, "contents to be trimmed");
  expect_none(Kind::hidden, "hidden inodes");
  if (!empty) return;
  expect_none(Kind::content, "runs of contents");
  expect_none(Kind::pending, "small runs");
  expect_none(Kind::stripe, "stripes");
  expect_none(Kind::group, "stripes in groups");
  expect_none(Kind::pieces, "pieces of stripes");
  expect_none(Kind::upload, "uploads");
  expect_none(Kind::part, "parts");
  expect_none(Kind::parts, "part tables");
}

Stored look(SimArray& array, bool empty) {
  Stored stored;
  const cluster::MapPtr map = array.manager_map();
  if (!map || !array.all_serve()) {
    say(stored, "not everything serves");
    return stored;
  }
  size_t inodes = 0, dirents = 0;
  for (const SimArray::Blade* blade : array.blades()) {
    const proto::Blade* known = map->blade(blade->id);
    if (known->state() != proto::BLADE_HEALTHY) {
      say(stored, "{} is in state {}", blade->name, static_cast<int>(known->state()));
    }
    if (known->full()) say(stored, "{} is full", blade->name);
    bladed::Blade& process = blade->process->blade;
    const uint64_t waiting = process.counters().repair.stripes_waiting();
    if (waiting > 0) say(stored, "{} has {} stripes to repair", blade->name, waiting);
    for (const chunk::ShardInfo& info : process.chunks().list(std::nullopt, SIZE_MAX)) {
      stored.there.insert({blade->id.value, info.shard});
    }
    for (const meta::PartitionPtr& partition : process.host().partitions()) {
      look_at_stripes(*map, partition, stored);
      look_at_leftovers(partition, empty, stored);
      inodes += count_rows(partition, meta::Kind::inode);
      dirents += count_rows(partition, meta::Kind::dirent);
    }
  }
  for (const std::string& wrong : look_at_replicas(array)) say(stored, "{}", wrong);
  for (const Place& place : stored.named) {
    if (!stored.there.contains(place)) {
      say(stored, "shard {} is missing on blade {}", place.second, place.first);
    }
  }
  for (const Place& place : stored.there) {
    if (!stored.named.contains(place)) {
      say(stored, "shard {} leaks on blade {}", place.second, place.first);
    }
  }
  if (empty && (inodes != 2 || dirents != 1)) {
    say(stored, "{} inodes and {} entries are left, not those of root and bucket", inodes, dirents);
  }
  return stored;
}

/// Past all caches: every shard is read from its device.
Task<bool> all_verified(SimArray& array, const Stored& stored) {
  for (const Place& place : stored.there) {
    const SimArray::Blade& blade = array.blade(place.first);
    if (!blade.process) co_return false;
    const Result<> good = co_await blade.process->blade.chunks().verify(place.second);
    if (!good.ok()) {
      array.trace.note("shard {} on {}: {}", place.second, blade.name, good.error().text());
      co_return false;
    }
  }
  co_return true;
}

}  // namespace

Task<> check_stored(SimArray& array, bool empty) {
  const TimePoint end = array.clock.now() + kPatience;
  for (;;) {
    array.start_missing();  // what a device's last fault had ended
    const Stored stored = look(array, empty);
    bool verified = false;
    if (stored.wrong.empty()) verified = CO_TRY(co_await all_verified(array, stored));
    if (stored.wrong.empty() && verified) co_return Result<>{};
    if (array.clock.now() >= end) {
      for (const std::string& what : stored.wrong) array.trace.complain("for minutes: {}", what);
      if (stored.wrong.empty()) array.trace.complain("for minutes: a shard is damaged");
      co_return Result<>{};
    }
    CO_TRY(co_await array.clock.sleep_for(kLook));
  }
}

}  // namespace turbine::sim
