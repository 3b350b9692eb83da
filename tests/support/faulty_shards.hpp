// For tests: blades in memory whose shards and answers can be spoilt, and a map of placement
// groups.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "cluster/cluster_map.hpp"
#include "stripe/stripe.hpp"

namespace turbine::stripe {

class FaultyShards final : public ShardIo {
 public:
  explicit FaultyShards(Clock& clock) : clock_(clock) {}

  struct Stored {
    std::string bytes;
    uint64_t generation = 0;
  };
  std::map<std::pair<BladeId, ShardId>, Stored> stored;
  std::set<BladeId> dead;           // in the map, too
  std::map<BladeId, Errc> failing;  // every call, the map knows nothing
  std::map<BladeId, Errc> failing_puts;
  std::map<BladeId, Duration> delays;
  std::map<std::pair<BladeId, ShardId>, Errc> read_faults;
  uint64_t puts = 0, reads = 0, bytes_read = 0;

  Task<> put(BladeId blade, ShardId shard, GroupId, uint64_t, uint64_t generation,
             Buffer data) override {
    ++puts;
    CO_TRY(co_await answer(blade));
    const auto failure = failing_puts.find(blade);
    if (failure != failing_puts.end()) co_return fail(failure->second, "blade {}", blade);
    Stored& place = stored[{blade, shard}];
    const bool same = place.generation == generation && place.bytes == data.text();
    if (place.generation >= generation && !same) co_return fail(Errc::conflict, "shard {}", shard);
    place = {std::string(data.text()), generation};
    read_faults.erase({blade, shard});
    co_return Result<>{};
  }
  Task<Buffer> read(BladeId blade, ShardId shard, uint32_t offset, uint32_t size) override {
    ++reads;
    CO_TRY(co_await answer(blade));
    const auto fault = read_faults.find({blade, shard});
    if (fault != read_faults.end()) co_return fail(fault->second, "shard {}", shard);
    const auto found = stored.find({blade, shard});
    if (found == stored.end()) co_return fail(Errc::not_found, "shard {}", shard);
    CHECK(uint64_t{offset} + size <= found->second.bytes.size());
    bytes_read += size;
    co_return Buffer::copy_of(std::string_view(found->second.bytes).substr(offset, size));
  }
  Task<> free(BladeId blade, std::vector<ShardId> shards) override {
    CO_TRY(co_await answer(blade));
    for (const ShardId shard : shards) stored.erase({blade, shard});
    co_return Result<>{};
  }
  bool alive(BladeId blade) const override { return !dead.contains(blade); }

 private:
  Task<> answer(BladeId blade) {
    const auto delay = delays.find(blade);
    if (delay != delays.end()) CO_TRY(co_await clock_.sleep_for(delay->second));
    if (dead.contains(blade)) co_return fail(Errc::unavailable, "blade {} is dead", blade);
    const auto failure = failing.find(blade);
    if (failure != failing.end()) co_return fail(failure->second, "blade {}", blade);
    co_return Result<>{};
  }
  Clock& clock_;
};

/// Ids 1, 2, … of each home.
class CountedStripeIds final : public StripeIdSource {
 public:
  Task<StripeId> next(PartitionId home) override { co_return StripeId::make(home, ++last_); }

 private:
  uint64_t last_ = 0;
};

/// `blades` healthy blades; layouts of width blades, blades-1, blades-2 (parity as given), in which
/// for any two blades some group of the narrowest avoids both.
inline proto::ClusterMap make_test_map(uint64_t epoch, uint32_t blades, uint32_t parity,
                                       const std::set<BladeId>& dead = {}) {
  proto::ClusterMap record;
  record.set_epoch(epoch);
  record.add_partitions()->set_primary(1);
  for (uint32_t id = 1; id <= blades; ++id) {
    proto::Blade& blade = *record.add_blades();
    blade.set_id(id);
    blade.set_state(dead.contains(BladeId(id)) ? proto::BLADE_DEAD : proto::BLADE_HEALTHY);
  }
  for (uint32_t missing = 0; missing <= 2 && blades - missing > parity; ++missing) {
    proto::Layout& layout = *record.add_layouts();
    layout.set_id(missing + 1);
    layout.set_preferred(missing == 0);
    layout.set_data_count(blades - missing - parity);
    layout.set_parity_count(parity);
    for (uint32_t a = 1; a <= (missing >= 1 ? blades : 1); ++a) {
      for (uint32_t b = a + 1; b <= (missing == 2 ? blades : a + 1); ++b) {
        proto::Group& group = *layout.add_groups();
        group.set_version(1);
        for (uint32_t i = 0; i < blades; ++i) {
          const uint32_t id = (i + a) % blades + 1;
          if ((missing >= 1 && id == a) || (missing == 2 && id == b)) continue;
          group.add_blades(id);
        }
      }
    }
  }
  return record;
}

}  // namespace turbine::stripe
