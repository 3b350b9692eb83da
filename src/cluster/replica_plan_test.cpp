#include "cluster/replica_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/rng.hpp"
#include "cluster/planner.hpp"

namespace turbine::cluster {
namespace {

using std::chrono::seconds;

/// Blade i + 1 stands on hosts[i].
std::vector<BladeHost> on_hosts(const std::vector<std::string>& hosts) {
  std::vector<BladeHost> blades;
  blades.reserve(hosts.size());
  for (const std::string& host : hosts) {
    blades.push_back({BladeId(static_cast<uint32_t>(blades.size() + 1)), host});
  }
  return blades;
}

/// `count` blades, blade i on host i modulo `hosts`; 0: no hosts.
std::vector<BladeHost> blades(int count, int hosts = 0) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) names.push_back(hosts == 0 ? "" : fmt::format("h{}", i % hosts));
  return on_hosts(names);
}

std::string host_of(const std::vector<BladeHost>& blades, BladeId id) {
  return std::ranges::find(blades, id, &BladeHost::id)->host;
}

/// Most minus least loaded of these blades; `width` members of each partition count.
size_t unevenness(const std::vector<Members>& plan, const std::vector<BladeHost>& blades,
                  size_t width) {
  std::map<BladeId, size_t> load;
  for (const BladeHost& blade : blades) load[blade.id] = 0;
  for (const Members& members : plan) {
    for (size_t i = 0; i < std::min(width, members.size()); ++i) {
      if (load.contains(members[i])) ++load[members[i]];
    }
  }
  const auto [least, most] =
      std::ranges::minmax_element(load, {}, [](const auto& entry) { return entry.second; });
  return most->second - least->second;
}

void expect_distinct(const std::vector<Members>& plan, const std::vector<BladeHost>& blades,
                     size_t width, size_t hosts) {
  for (const Members& members : plan) {
    EXPECT_EQ(members.size(), width);
    EXPECT_EQ(std::set(members.begin(), members.end()).size(), width);
    if (hosts < 2) continue;
    std::set<std::string> stood;
    for (const BladeId blade : members) stood.insert(host_of(blades, blade));
    EXPECT_EQ(stood.size(), std::min(hosts, width));
  }
}

TEST(ReplicaPlan, IsEvenAndAlwaysTheSameForAnyNumberOfBladesAndPartitions) {
  for (int count = 1; count <= 12; ++count) {
    for (const uint32_t partitions : {1, 2, 3, 7, 16, 61, 256}) {
      for (int replicas = 1; replicas <= 4; ++replicas) {
        SCOPED_TRACE(fmt::format("{} blades, {} × {}", count, partitions, replicas));
        const auto on = blades(count);
        const auto plan = plan_replicas(partitions, on, replicas);
        ASSERT_EQ(plan.size(), partitions);
        expect_distinct(plan, on, static_cast<size_t>(std::min(replicas, count)), 0);
        EXPECT_LE(unevenness(plan, on, 1), 1U) << "primaries";
        EXPECT_LE(unevenness(plan, on, 9), 1U) << "replicas";
        auto shuffled = on;
        std::ranges::reverse(shuffled);
        EXPECT_EQ(plan_replicas(partitions, shuffled, replicas), plan);
      }
    }
  }
}

TEST(ReplicaPlan, IsEvenOnHostsOfEqualSizeAndNeverPutsTwoMembersOnOne) {
  for (int hosts = 2; hosts <= 6; ++hosts) {
    for (int per_host = 1; per_host <= 4; ++per_host) {
      for (const uint32_t partitions : {1, 16, 61, 256}) {
        for (int replicas = 1; replicas <= 3; ++replicas) {
          SCOPED_TRACE(
              fmt::format("{} × {} blades, {} × {}", hosts, per_host, partitions, replicas));
          const auto on = blades(hosts * per_host, hosts);
          const auto plan = plan_replicas(partitions, on, replicas);
          const auto width = static_cast<size_t>(std::min(replicas, hosts * per_host));
          expect_distinct(plan, on, width, static_cast<size_t>(hosts));
          EXPECT_LE(unevenness(plan, on, 1), 1U) << "primaries";
          EXPECT_LE(unevenness(plan, on, 9), 1U) << "replicas";
        }
      }
    }
  }
}

TEST(ReplicaPlan, IsAsEvenAsUnequalHostsAllow) {
  // One member on each host: the lonely blades hold all, the four share.
  const auto on = on_hosts({"a", "b", "c", "c", "c", "c"});
  const auto plan = plan_replicas(64, on);
  expect_distinct(plan, on, 3, 3);
  EXPECT_LE(unevenness(plan, {on.begin() + 2, on.end()}, 3), 1U);
  EXPECT_LE(unevenness(plan, on, 1), 1U) << "primaries can be even all the same";
  // Enough hosts for all to be even.
  const auto mixed = on_hosts({"a", "b", "c", "c", "", ""});
  EXPECT_LE(unevenness(plan_replicas(64, mixed), mixed, 3), 1U);
}

TEST(ReplicaPlan, IgnoresHostsWhenAllBladesNameTheSame) {
  const auto on = on_hosts({"a", "a", "a", ""});
  const auto plan = plan_replicas(32, on);
  expect_distinct(plan, on, 3, 0);
  EXPECT_LE(unevenness(plan, on, 3), 1U);
}

TEST(ReplicaPlan, KeepsThePrimariesOfArraysMadeBeforeReplicas) {
  std::vector<BladeId> ids;
  for (const BladeHost& blade : blades(6)) ids.push_back(blade.id);
  const std::vector<BladeId> primaries = plan_partitions(256, ids);
  for (int replicas = 1; replicas <= 3; ++replicas) {
    const auto plan = plan_replicas(256, blades(6, 3), replicas);
    for (size_t p = 0; p < plan.size(); ++p) EXPECT_EQ(plan[p][0], primaries[p]);
  }
}

TEST(ReplicaPlan, IsQuickForManyBlades) {
  const auto on = blades(200, 40);
  const auto plan = plan_replicas(4096, on);
  expect_distinct(plan, on, 3, 40);
  EXPECT_LE(unevenness(plan, on, 3), 1U);
}

TEST(ReplicaPlan, MovesLittleWhenABladeJoins) {
  const auto before = plan_replicas(1024, blades(9));
  const auto after = plan_replicas(1024, blades(10));
  size_t moved = 0;
  for (size_t p = 0; p < before.size(); ++p) {
    for (const BladeId blade : after[p]) {
      moved += std::ranges::count(before[p], blade) == 0 ? 1 : 0;
    }
  }
  EXPECT_LT(moved, 1024U * 3 / 10 * 2) << "the least possible is a tenth of all replicas";
}

/// An array of blades that die and return, whose replicas follow what is wanted.
class WantedTest : public testing::Test {
 protected:
  void build(std::vector<BladeHost> all, uint32_t partitions = 64, int replicas = 3) {
    all_ = std::move(all);
    home_ = plan_replicas(partitions, all_, replicas);
    replicas_ = wanted_ = home_;
    dead_.clear();
  }
  const std::vector<Members>& want() {
    ReplicaSituation now{.home = home_, .replicas = replicas_, .before = wanted_};
    now.dead = dead_;
    now.replan_delay = seconds(10);
    for (const BladeHost& blade : all_) {
      if (!dead_.contains(blade.id)) now.live.push_back(blade);
    }
    wanted_ = wanted_now(now);
    return wanted_;
  }
  /// Dead blades are dropped where another replica lives.
  void drop_dead() {
    for (Members& members : replicas_) {
      Members kept;
      std::ranges::copy_if(members, std::back_inserter(kept),
                           [this](BladeId blade) { return !dead_.contains(blade); });
      if (!kept.empty()) members = kept;
    }
  }
  std::vector<BladeHost> live() const {
    std::vector<BladeHost> live;
    std::ranges::copy_if(all_, std::back_inserter(live),
                         [this](const BladeHost& blade) { return !dead_.contains(blade.id); });
    return live;
  }

  std::vector<BladeHost> all_;
  std::vector<Members> home_, replicas_, wanted_;
  std::map<BladeId, Duration> dead_;
};

TEST_F(WantedTest, WaitsForADeadBladeWhereTwoReplicasLive) {
  build(blades(6));
  EXPECT_EQ(want(), home_);
  dead_[BladeId(2)] = seconds(9);
  EXPECT_EQ(want(), home_);
  dead_[BladeId(2)] = seconds(10);
  want();
  for (size_t p = 0; p < home_.size(); ++p) {
    const auto at = std::ranges::find(home_[p], BladeId(2));
    if (at == home_[p].end()) {
      EXPECT_EQ(wanted_[p], home_[p]);
      continue;
    }
    Members rest = home_[p];
    std::erase(rest, BladeId(2));
    ASSERT_EQ(wanted_[p].size(), 3U);
    EXPECT_TRUE(std::equal(rest.begin(), rest.end(), wanted_[p].begin()));
    EXPECT_FALSE(std::ranges::count(home_[p], wanted_[p][2]) > 0);
  }
  EXPECT_LE(unevenness(wanted_, live(), 3), 1U);
  dead_.clear();
  EXPECT_EQ(want(), home_) << "it is back";
}

TEST_F(WantedTest, ReplacesAtOnceWhereOneReplicaIsLeft) {
  build(blades(6));
  dead_[BladeId(2)] = dead_[BladeId(5)] = seconds(0);
  want();
  size_t replaced = 0;
  for (size_t p = 0; p < home_.size(); ++p) {
    const bool two = std::ranges::count(home_[p], BladeId(2)) == 1 &&
                     std::ranges::count(home_[p], BladeId(5)) == 1;
    if (!two) EXPECT_EQ(wanted_[p], home_[p]);
    for (const BladeId blade : wanted_[p]) EXPECT_FALSE(two && dead_.contains(blade));
    replaced += two ? 1 : 0;
  }
  EXPECT_GT(replaced, 0U);
}

TEST_F(WantedTest, CountsReplicasThatWereDroppedAsMissing) {
  build(blades(6), 1);
  const BladeId dead = home_[0][0];
  dead_[dead] = seconds(0);
  EXPECT_EQ(want(), home_) << "two live";
  replicas_[0] = {home_[0][1]};
  EXPECT_NE(want(), home_) << "the third lives, but is not in sync";
  EXPECT_EQ(wanted_[0].size(), 3U);
  EXPECT_EQ(std::ranges::count(wanted_[0], dead), 0);
  EXPECT_EQ(wanted_[0][0], home_[0][1]);
}

TEST_F(WantedTest, LeavesPartitionsAloneThatNobodyCanCopy) {
  build(blades(6), 16, 1);
  dead_[BladeId(3)] = seconds(1000);
  EXPECT_EQ(want(), home_);
}

TEST_F(WantedTest, KeepsADeadBladeThatNobodyCanReplace) {
  build(blades(3));
  dead_[BladeId(1)] = seconds(1000);
  EXPECT_EQ(want(), home_);
  dead_[BladeId(2)] = seconds(1000);
  EXPECT_EQ(want(), home_);
}

TEST_F(WantedTest, LooksForAnotherHost) {
  build(on_hosts({"a", "b", "c", "d", "a", "b", "c", "d"}));
  dead_[BladeId(1)] = seconds(10);
  expect_distinct(want(), all_, 3, 4);
  EXPECT_FALSE(std::ranges::any_of(
      wanted_, [](const Members& members) { return std::ranges::count(members, BladeId(1)) > 0; }));
}

TEST_F(WantedTest, StaysWithAReplacementOnceChosen) {
  build(blades(8));
  dead_[BladeId(1)] = seconds(10);
  const std::vector<Members> first = want();
  drop_dead();
  dead_[BladeId(2)] = seconds(10);
  want();
  for (size_t p = 0; p < first.size(); ++p) {
    for (const BladeId blade : first[p]) {
      EXPECT_TRUE(dead_.contains(blade) || std::ranges::count(wanted_[p], blade) == 1);
    }
  }
}

TEST_F(WantedTest, HoldsItsPromisesThroughRandomDeathsAndReturns) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Rng rng(seed);
    const int count = static_cast<int>(3 + rng.below(8));
    build(blades(count, static_cast<int>(rng.below(5))), 48);
    for (int step = 0; step < 30; ++step) {
      const BladeId blade(static_cast<uint32_t>(1 + rng.below(static_cast<uint64_t>(count))));
      if (dead_.erase(blade) == 0) dead_[blade] = seconds(0);
      for (auto& [id, since] : dead_) since += seconds(rng.below(8));
      want();
      EXPECT_EQ(wanted_, want()) << "the same again";
      for (size_t p = 0; p < home_.size(); ++p) {
        const auto dead = [this](BladeId id) { return dead_.contains(id); };
        const size_t live_in_sync =
            replicas_[p].size() - static_cast<size_t>(std::ranges::count_if(replicas_[p], dead));
        ASSERT_EQ(std::set(wanted_[p].begin(), wanted_[p].end()).size(), home_[p].size());
        size_t live_wanted = 0;
        for (const BladeId id : wanted_[p]) {
          live_wanted += dead(id) ? 0 : 1;
          const bool home = std::ranges::count(home_[p], id) == 1;
          EXPECT_TRUE(home || !dead(id)) << "a dead blade replaces nobody";
          if (!home) EXPECT_TRUE(std::ranges::any_of(home_[p], dead));
        }
        for (const BladeId id : home_[p]) {
          if (!dead(id)) EXPECT_EQ(std::ranges::count(wanted_[p], id), 1) << "home returns";
        }
        const size_t possible = std::min(home_[p].size(), live().size());
        if (live_in_sync == 1) EXPECT_EQ(live_wanted, possible) << "in danger";
        if (live_in_sync == 0) EXPECT_EQ(wanted_[p], home_[p]);
      }
      if (rng.below(2) == 0) drop_dead();
      // Some copies are made.
      for (size_t p = 0; p < home_.size(); ++p) {
        if (rng.below(3) != 0 ||
            std::ranges::all_of(replicas_[p], [this](BladeId id) { return dead_.contains(id); })) {
          continue;
        }
        replicas_[p] = wanted_[p];
        Members& members = replicas_[p];
        std::erase_if(members, [this](BladeId id) { return dead_.contains(id); });
      }
    }
  }
}

}  // namespace
}  // namespace turbine::cluster
