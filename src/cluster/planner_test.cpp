#include "cluster/planner.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace turbine::cluster {
namespace {

std::vector<BladeId> blades(int count) {
  std::vector<BladeId> out;
  for (int i = 1; i <= count; ++i) out.emplace_back(static_cast<uint32_t>(i));
  return out;
}

bool avoided(const std::vector<proto::Layout>& layouts, const std::set<uint32_t>& lost) {
  for (const proto::Layout& layout : layouts) {
    for (const proto::Group& group : layout.groups()) {
      if (std::ranges::none_of(group.blades(), [&](uint32_t b) { return lost.contains(b); })) {
        return true;
      }
    }
  }
  return false;
}

TEST(Shape, FollowsTheNumberOfBlades) {
  EXPECT_EQ(shape_for(1), (Shape{1, 0}));
  EXPECT_EQ(shape_for(2), (Shape{1, 1}));
  EXPECT_EQ(shape_for(3), (Shape{2, 1}));
  EXPECT_EQ(shape_for(4), (Shape{2, 2}));
  EXPECT_EQ(shape_for(6), (Shape{4, 2}));
  EXPECT_EQ(shape_for(10), (Shape{8, 2}));
  EXPECT_EQ(shape_for(1000), (Shape{8, 2}));
}

class LayoutsTest : public testing::TestWithParam<int> {
 protected:
  int count_ = GetParam();
  std::vector<proto::Layout> layouts_ = plan_layouts(blades(count_), 1);
};

TEST_P(LayoutsTest, HaveOnePreferredAndDistinctShapes) {
  std::set<std::pair<uint32_t, uint32_t>> shapes;
  for (size_t i = 0; i < layouts_.size(); ++i) {
    EXPECT_EQ(layouts_[i].preferred(), i == 0);
    EXPECT_EQ(layouts_[i].id(), i + 1);
    EXPECT_TRUE(shapes.insert({layouts_[i].data_count(), layouts_[i].parity_count()}).second);
    EXPECT_GE(layouts_[i].groups_size(), 128);
    EXPECT_LE(layouts_[i].groups_size(), 256);
  }
  const Shape shape = shape_for(count_);
  EXPECT_EQ(layouts_[0].data_count(), static_cast<uint32_t>(shape.data_count));
  EXPECT_EQ(layouts_[0].parity_count(), static_cast<uint32_t>(shape.parity_count));
}

TEST_P(LayoutsTest, PutEachShardOfAGroupOnAnotherKnownBlade) {
  for (const proto::Layout& layout : layouts_) {
    for (const proto::Group& group : layout.groups()) {
      const std::set<uint32_t> distinct(group.blades().begin(), group.blades().end());
      EXPECT_EQ(distinct.size(), layout.data_count() + layout.parity_count());
      EXPECT_EQ(static_cast<int>(distinct.size()), group.blades_size());
      EXPECT_GE(*distinct.begin(), 1U);
      EXPECT_LE(*distinct.rbegin(), static_cast<uint32_t>(count_));
    }
  }
}

TEST_P(LayoutsTest, AvoidAnyBladeAndAnyTwo) {
  if (count_ < 2) GTEST_SUCCEED();
  for (uint32_t a = 1; count_ >= 2 && a <= static_cast<uint32_t>(count_); ++a) {
    EXPECT_TRUE(avoided(layouts_, {a})) << a;
    for (uint32_t b = a + 1; count_ >= 3 && b <= static_cast<uint32_t>(count_); ++b) {
      EXPECT_TRUE(avoided(layouts_, {a, b})) << a << " and " << b;
    }
  }
}

TEST_P(LayoutsTest, LoadBladesAndPositionsEvenly) {
  for (const proto::Layout& layout : layouts_) {
    const int width = static_cast<int>(layout.data_count() + layout.parity_count());
    std::map<uint32_t, int> load;
    std::map<std::pair<uint32_t, int>, int> stood;
    for (const BladeId blade : blades(count_)) load[blade.value] = 0;
    for (const proto::Group& group : layout.groups()) {
      for (int i = 0; i < group.blades_size(); ++i) {
        ++load[group.blades(i)];
        ++stood[{group.blades(i), i}];
      }
    }
    const auto [least, most] =
        std::ranges::minmax_element(load, {}, [](const auto& entry) { return entry.second; });
    EXPECT_LE(most->second - least->second, 1) << "width " << width;
    const double fair = static_cast<double>(layout.groups_size()) / count_;
    for (uint32_t blade = 1; blade <= static_cast<uint32_t>(count_); ++blade) {
      for (int i = 0; i < width; ++i) {
        EXPECT_NEAR((stood[{blade, i}]), fair, std::max(3.0, fair * 0.25))
            << "blade " << blade << " at " << i << " of " << width;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Blades, LayoutsTest, testing::Range(1, 16));

TEST(Partitions, SpreadEvenlyAndAlwaysTheSame) {
  for (int count = 1; count <= 15; ++count) {
    const std::vector<BladeId> plan = plan_partitions(256, blades(count));
    EXPECT_EQ(plan, plan_partitions(256, blades(count)));
    std::map<BladeId, int> held;
    for (const BladeId blade : blades(count)) held[blade] = 0;
    for (const BladeId blade : plan) ++held.at(blade);
    const auto [least, most] =
        std::ranges::minmax_element(held, {}, [](const auto& entry) { return entry.second; });
    EXPECT_LE(most->second - least->second, 1);
  }
}

TEST(Partitions, MoveLittleWhenABladeJoins) {
  const std::vector<BladeId> before = plan_partitions(4096, blades(9));
  const std::vector<BladeId> after = plan_partitions(4096, blades(10));
  int moved = 0;
  for (size_t i = 0; i < before.size(); ++i) moved += before[i] != after[i] ? 1 : 0;
  EXPECT_LT(moved, 4096 / 10 * 14 / 10);
}

}  // namespace
}  // namespace turbine::cluster
