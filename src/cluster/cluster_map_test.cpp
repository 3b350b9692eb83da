#include "cluster/cluster_map.hpp"

#include <gtest/gtest.h>

#include "cluster/planner.hpp"

namespace turbine::cluster {
namespace {

proto::ClusterMap six_blades() {
  proto::ClusterMap map;
  map.set_epoch(1);
  std::vector<BladeId> ids;
  for (uint32_t i = 1; i <= 6; ++i) {
    ids.emplace_back(i);
    proto::Blade* blade = map.add_blades();
    blade->set_id(i);
    blade->set_state(proto::BLADE_HEALTHY);
  }
  for (proto::Layout& layout : plan_layouts(ids, 1)) *map.add_layouts() = std::move(layout);
  for (const BladeId blade : plan_partitions(64, ids)) {
    map.add_partitions()->set_primary(blade.value);
  }
  return map;
}

void expect_avoids(const GroupView* group, int width, const std::vector<uint32_t>& avoided) {
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->data_count + group->parity_count, width);
  for (const uint32_t blade : avoided) {
    EXPECT_EQ(std::ranges::count(group->blades, BladeId(blade)), 0);
  }
}

TEST(ClusterMap, ChoosesTheWidestGroupAroundDeadFullAndAvoidedBlades) {
  proto::ClusterMap record = six_blades();
  for (uint64_t pick = 0; pick < 300; ++pick) {
    expect_avoids(ClusterMap(record).choose_group(pick, {}), 6, {});
  }
  expect_avoids(ClusterMap(record).choose_group(7, {BladeId(2)}), 5, {2});
  record.mutable_blades(3)->set_state(proto::BLADE_DEAD);
  expect_avoids(ClusterMap(record).choose_group(7, {}), 5, {4});
  record.mutable_blades(0)->set_full(true);
  expect_avoids(ClusterMap(record).choose_group(7, {}), 4, {4, 1});
  EXPECT_EQ(ClusterMap(record).choose_group(7, {BladeId(5)}), nullptr);
}

TEST(ClusterMap, FindsGroupsByIdAndPrimariesThatLive) {
  proto::ClusterMap record = six_blades();
  record.mutable_blades(0)->set_state(proto::BLADE_DEAD);
  const ClusterMap map(record);
  const GroupView* group = map.choose_group(11, {});
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(map.group(group->id), group);
  EXPECT_EQ(map.group(GroupId(0xFFFFFFFF)), nullptr);
  EXPECT_EQ(map.alive_count(), 5U);
  EXPECT_FALSE(map.alive(BladeId(1)));
  EXPECT_FALSE(map.alive(BladeId(77)));
  for (uint32_t p = 0; p < 64; ++p) {
    const uint32_t planned = record.partitions(static_cast<int>(p)).primary();
    EXPECT_EQ(map.primary(PartitionId(p)).value, planned == 1 ? 0 : planned);
  }
  EXPECT_EQ(map.primary(PartitionId(64)), BladeId(0));
}

TEST(MapHolder, IgnoresWhatIsNotNewerAndTellsObservers) {
  MapHolder holder;
  std::vector<uint64_t> seen;
  holder.observe([&](const MapPtr& map) { seen.push_back(map->epoch().value); });
  proto::ClusterMap record = six_blades();
  for (const uint64_t epoch : {3, 2, 3, 5}) {
    record.set_epoch(epoch);
    holder.update(record);
  }
  EXPECT_EQ(seen, (std::vector<uint64_t>{3, 5}));
  EXPECT_EQ(holder.get()->epoch(), Epoch(5));
}

}  // namespace
}  // namespace turbine::cluster
