#include "cluster/partition_change.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "cluster/map_record.hpp"

namespace turbine::cluster {
namespace {

using Ids = std::vector<uint32_t>;

/// Five blades in sessions 101 … 105; partition 0 on 1 (primary), 2 and 3 in term 7.
proto::ClusterMap example() {
  proto::ClusterMap map;
  for (uint32_t id = 1; id <= 5; ++id) {
    proto::Blade* blade = map.add_blades();
    blade->set_id(id);
    blade->set_state(proto::BLADE_HEALTHY);
    blade->set_session(100 + id);
  }
  proto::Partition* partition = map.add_partitions();
  partition->set_primary(1);
  for (const uint32_t id : {1, 2, 3}) partition->add_replicas(id);
  partition->set_term(7);
  return map;
}

proto::PartitionChange to(uint32_t primary, const Ids& replicas, uint64_t joiner_session = 0) {
  proto::PartitionChange change;
  change.set_expected_term(7);
  change.set_primary(primary);
  for (const uint32_t id : replicas) change.add_replicas(id);
  change.set_joiner_session(joiner_session);
  return change;
}

class PartitionChange : public testing::Test {
 protected:
  void expect_done(uint32_t issuer, const proto::PartitionChange& change) {
    proto::ClusterMap map = map_;
    const Result<> done = apply_change(map, BladeId(issuer), change);
    ASSERT_TRUE(done.ok()) << done.error().text();
    const proto::Partition& partition = map.partitions(0);
    EXPECT_EQ(partition.primary(), change.primary());
    EXPECT_EQ(Ids(partition.replicas().begin(), partition.replicas().end()),
              Ids(change.replicas().begin(), change.replicas().end()));
    EXPECT_EQ(partition.term(), 8U);
  }
  void expect_refused(uint32_t issuer, const proto::PartitionChange& change,
                      const std::string& reason) {
    proto::ClusterMap map = map_;
    const Result<> done = apply_change(map, BladeId(issuer), change);
    ASSERT_TRUE(done.failed_with(Errc::denied));
    EXPECT_NE(done.error().context.find(reason), std::string::npos) << done.error().context;
    EXPECT_EQ(map.SerializeAsString(), map_.SerializeAsString());
  }
  void die(uint32_t blade) { find_blade(map_, blade)->set_state(proto::BLADE_DEAD); }

  proto::ClusterMap map_ = example();
};

TEST_F(PartitionChange, ComparesTheTerm) {
  for (const uint64_t term : {0, 6, 8}) {
    proto::PartitionChange change = to(1, {1, 2});
    change.set_expected_term(term);
    expect_refused(1, change, "term 7");
  }
  proto::PartitionChange nowhere = to(1, {1, 2});
  nowhere.set_partition(1);
  expect_refused(1, nowhere, "there is none");
}

TEST_F(PartitionChange, LetsThePrimaryRemoveReelectAndHandOver) {
  expect_done(1, to(1, {1, 2}));
  expect_done(1, to(1, {1}));
  expect_done(1, to(1, {1, 2, 3}));
  expect_done(1, to(2, {1, 2, 3}));
  expect_done(1, to(3, {2, 3}));
  expect_refused(1, to(4, {1, 2, 4}, 104), "not in sync yet");
  expect_refused(1, to(1, {2, 3}), "not among");
  expect_refused(1, to(1, {}), "not among");
  expect_refused(1, to(1, {1, 2, 2}), "twice");
  die(2);
  expect_refused(1, to(2, {1, 2, 3}), "not up");
}

TEST_F(PartitionChange, LetsThePrimaryAddOneJoinerInTheSessionInWhichItCaughtUp) {
  expect_done(1, to(1, {1, 2, 3, 4}, 104));
  expect_done(1, to(1, {1, 4}, 104));
  expect_done(1, to(2, {2, 4}, 104));
  expect_refused(1, to(1, {1, 2, 3, 4}, 103), "session 103, but is in 104");
  expect_refused(1, to(1, {1, 2, 3, 4}), "session 0");
  expect_refused(1, to(1, {1, 2, 3, 4, 5}, 104), "2 joiners");
  expect_refused(1, to(1, {1, 2, 3, 9}, 109), "not up");
  die(4);
  expect_refused(1, to(1, {1, 2, 3, 4}, 104), "not up");
}

TEST_F(PartitionChange, LetsAnotherMemberTakeOverAndNothingElse) {
  die(1);
  expect_done(2, to(2, {2, 3}));
  expect_done(3, to(3, {3}));
  expect_refused(2, to(2, {1, 2, 3}), "drop the old primary");
  expect_refused(2, to(3, {2, 3}), "may take over");
  expect_refused(2, to(1, {1, 2}), "only its primary");
  expect_refused(2, to(2, {2, 3, 4}, 104), "can't add");
  expect_refused(4, to(4, {2, 3, 4}, 104), "blade 4 is not in sync");
  expect_refused(4, to(2, {2, 3}), "blade 4 is not in sync");
}

TEST_F(PartitionChange, RestartedPrimariesGetAnotherTerm) {
  reelect(map_, BladeId(2));
  EXPECT_EQ(map_.partitions(0).term(), 7U);
  reelect(map_, BladeId(1));
  EXPECT_EQ(map_.partitions(0).term(), 8U);
}

TEST_F(PartitionChange, DamagedBladesAreDroppedWhereAnotherReplicaIs) {
  die(2);
  proto::Partition* alone = map_.add_partitions();
  alone->set_primary(1);
  alone->add_replicas(1);
  alone->set_term(3);
  drop_damaged(map_, BladeId(1));
  EXPECT_EQ(map_.partitions(0).primary(), 3U) << "it is up";
  EXPECT_EQ(map_.partitions(0).replicas_size(), 2);
  EXPECT_EQ(map_.partitions(0).term(), 8U);
  EXPECT_EQ(map_.partitions(1).ShortDebugString(), alone->ShortDebugString());
  EXPECT_EQ(map_.partitions(1).replicas_size(), 1);
  EXPECT_EQ(map_.partitions(1).term(), 3U);
  drop_damaged(map_, BladeId(3));
  EXPECT_EQ(map_.partitions(0).primary(), 2U) << "none is up: it waits for a clean one";
  EXPECT_EQ(map_.partitions(0).term(), 9U);
  drop_damaged(map_, BladeId(4));
  EXPECT_EQ(map_.partitions(0).term(), 9U) << "it was no replica";
}

// Whatever is asked for: what was in sync of an old configuration and what is in the new one
// overlap, terms grow by one, and nobody but the primary or one that takes over changes anything.
TEST_F(PartitionChange, KeepsItsRulesUnderRandomRequests) {
  Rng rng(3);
  int done = 0;
  for (int i = 0; i < 50'000; ++i) {
    const proto::Partition before = map_.partitions(0);
    const auto anybody = [&] { return static_cast<uint32_t>(1 + rng.below(5)); };
    const uint32_t issuer = anybody();
    find_blade(map_, anybody())
        ->set_state(rng.chance(3, 4) ? proto::BLADE_HEALTHY : proto::BLADE_DEAD);
    proto::PartitionChange change;
    change.set_expected_term(before.term() - (rng.chance(1, 8) ? 1 : 0));
    change.set_primary(rng.chance(1, 2) ? issuer : anybody());
    const uint32_t joiner = anybody();
    for (uint32_t id = 1; id <= 5; ++id) {
      const bool had = std::ranges::count(before.replicas(), id) == 1;
      if (had ? rng.chance(4, 5) : id == joiner || rng.chance(1, 20)) change.add_replicas(id);
    }
    change.set_joiner_session(100 + (rng.chance(3, 4) ? joiner : anybody()));
    const bool ok = apply_change(map_, BladeId(issuer), change).ok();
    const proto::Partition& after = map_.partitions(0);
    if (!ok) {
      ASSERT_EQ(after.SerializeAsString(), before.SerializeAsString());
      continue;
    }
    ++done;
    const auto had = [&](uint32_t id) {
      return std::ranges::find(before.replicas(), id) != before.replicas().end();
    };
    ASSERT_EQ(change.expected_term(), before.term());
    ASSERT_EQ(after.term(), before.term() + 1);
    ASSERT_TRUE(had(issuer));
    ASSERT_TRUE(had(after.primary()));
    ASSERT_EQ(std::ranges::count(after.replicas(), after.primary()), 1);
    const auto added = after.replicas_size() - std::ranges::count_if(after.replicas(), had);
    ASSERT_LE(added, issuer == before.primary() ? 1 : 0);
    for (const uint32_t id : after.replicas()) {
      if (had(id)) continue;
      ASSERT_TRUE(is_up(find_blade(map_, id)->state()));
      ASSERT_EQ(find_blade(map_, id)->session(), change.joiner_session());
    }
    if (issuer != before.primary()) {
      ASSERT_EQ(after.primary(), issuer);
      ASSERT_EQ(std::ranges::count(after.replicas(), before.primary()), 0);
    }
  }
  EXPECT_GT(done, 2'000) << "enough of them were allowed to say something";
}

}  // namespace
}  // namespace turbine::cluster
