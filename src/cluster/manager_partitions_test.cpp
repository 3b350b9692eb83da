#include <gtest/gtest.h>

#include <set>

#include "cluster/manager_fixture.hpp"

namespace turbine::cluster {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using Ids = std::vector<uint32_t>;

Ids ids(const google::protobuf::RepeatedField<uint32_t>& field) {
  return {field.begin(), field.end()};
}

proto::PartitionChange change_of(uint32_t partition, uint64_t term, uint32_t primary,
                                 const Ids& replicas, uint64_t joiner_session = 0) {
  proto::PartitionChange change;
  change.set_partition(partition);
  change.set_expected_term(term);
  change.set_primary(primary);
  for (const uint32_t id : replicas) change.add_replicas(id);
  change.set_joiner_session(joiner_session);
  return change;
}

/// Five blades, three replicas each.
class ReplicasTest : public ManagerTest {
 protected:
  ReplicasTest() {
    options_.expected_blades = 5;
    options_.replica_count = 3;
  }
  void register_all() {
    for (int i = 1; i <= 5; ++i) blade(i);
    clock_.advance(milliseconds(50));
  }
  MapClient& client(uint32_t id) { return *peers_[fmt::format("blade-{}", id)].client; }
  const proto::Partition& partition(uint32_t id) {
    return *manager_->map()->partition(PartitionId(id));
  }
  uint64_t epoch() { return manager_->map()->record().epoch(); }
  uint64_t session(uint32_t id) { return manager_->map()->blade(BladeId(id))->session(); }
  Result<proto::ChangePartitionsReply> ask(uint32_t blade,
                                           std::vector<proto::PartitionChange> changes) {
    return clock_.run(client(blade).change_partitions(std::move(changes)));
  }
  /// A blade that does not hold the partition.
  uint32_t outsider(uint32_t id) {
    uint32_t blade = 1;
    while (manager_->map()->is_replica(PartitionId(id), BladeId(blade))) ++blade;
    return blade;
  }
  /// A partition without that replica.
  uint32_t partition_without(uint32_t blade) {
    uint32_t id = 0;
    while (manager_->map()->is_replica(PartitionId(id), BladeId(blade))) ++id;
    return id;
  }
  size_t held_by(uint32_t blade) {
    size_t count = 0;
    for (uint32_t p = 0; p < 16; ++p) {
      count += manager_->map()->is_replica(PartitionId(p), BladeId(blade)) ? 1 : 0;
    }
    return count;
  }
  bool wants(uint32_t id, uint32_t blade) {
    return std::ranges::count(partition(id).wanted(), blade) == 1;
  }
  proto::RegisterBladeReply come_back(uint32_t id, bool damaged = false) {
    Peer& again = peer(fmt::format("blade-{}", id));
    auto request = blade_request(id, id, array_id());
    request.set_damaged(damaged);
    auto reply = clock_.run(again.client->register_blade(request));
    EXPECT_TRUE(reply.ok()) << reply.error().text();
    again.client->start();
    return *reply;
  }
};

TEST_F(ReplicasTest, PlansEmptyPartitionsWithAllReplicasInSync) {
  register_all();
  std::map<uint32_t, int> held;
  for (uint32_t p = 0; p < 16; ++p) {
    EXPECT_EQ(partition(p).term(), 1U);
    EXPECT_EQ(partition(p).replicas_size(), 3);
    EXPECT_EQ(ids(partition(p).replicas()), ids(partition(p).wanted()));
    EXPECT_EQ(partition(p).primary(), partition(p).wanted(0));
    EXPECT_EQ(manager_->map()->live_replicas(PartitionId(p)), 3U);
    for (const uint32_t id : partition(p).replicas()) ++held[id];
  }
  for (const auto& [id, count] : held) EXPECT_NEAR(count, 9.6, 1) << "blade " << id;
  const uint64_t before = epoch();
  clock_.advance(seconds(30));
  EXPECT_EQ(epoch(), before) << "nothing changes by itself";
}

TEST_F(ManagerTest, PlansOneReplicaUnlessToldOtherwise) {
  for (int i = 1; i <= 3; ++i) blade(i);
  for (uint32_t p = 0; p < 16; ++p) {
    const proto::Partition& partition = *manager_->map()->partition(PartitionId(p));
    EXPECT_EQ(ids(partition.replicas()), Ids{partition.primary()});
    EXPECT_EQ(ids(partition.wanted()), Ids{partition.primary()});
  }
}

TEST_F(ReplicasTest, WantsAnotherBladeTenSecondsAfterADeathAndTheOldOneWhenItIsBack) {
  register_all();
  std::vector<proto::Partition> before;
  before.reserve(16);
  for (uint32_t p = 0; p < 16; ++p) before.push_back(partition(p));
  kill("blade-2");
  clock_.advance(seconds(9));
  EXPECT_EQ(state(2), proto::BLADE_DEAD);
  for (uint32_t p = 0; p < 16; ++p) {
    EXPECT_EQ(partition(p).SerializeAsString(), before[p].SerializeAsString());
  }
  clock_.advance(seconds(2));
  for (uint32_t p = 0; p < 16; ++p) {
    EXPECT_FALSE(wants(p, 2));
    EXPECT_EQ(partition(p).wanted_size(), 3);
    EXPECT_EQ(ids(partition(p).replicas()), ids(before[p].replicas())) << "only a member may";
    EXPECT_EQ(partition(p).primary(), before[p].primary());
    EXPECT_EQ(partition(p).term(), before[p].term());
  }
  come_back(2);
  for (uint32_t p = 0; p < 16; ++p) {
    EXPECT_EQ(ids(partition(p).wanted()), ids(before[p].wanted()));
  }
}

TEST_F(ReplicasTest, ABladeThatComesBackAsAnOldCopyIsInSyncNowhere) {
  register_all();
  kill("blade-2");
  Peer& two = peer("blade-2");
  auto request = blade_request(2, 2, array_id());
  const auto comes_back_with = [&](std::vector<uint64_t> processes) {
    request.clear_processes();
    for (const uint64_t process : processes) request.add_processes(process);
    EXPECT_TRUE(clock_.run(two.client->register_blade(request)).ok());
    return held_by(2);
  };
  EXPECT_GT(comes_back_with({11}), 0U);
  EXPECT_GT(comes_back_with({11, 12}), 0U);
  EXPECT_GT(comes_back_with({12, 13, 14}), 0U) << "13 died before it had registered";
  EXPECT_EQ(comes_back_with({11, 15}), 0U);
}

TEST_F(ReplicasTest, ABladeWhoseJournalIsShorterThanItWasIsInSyncNowhere) {
  register_all();
  kill("blade-2");
  Peer& two = peer("blade-2");
  auto request = blade_request(2, 2, array_id());
  request.add_processes(11);
  request.set_journal_position(100);
  ASSERT_TRUE(clock_.run(two.client->register_blade(request)).ok());
  two.client->report_with([] {
    proto::BladeHeartbeatRequest heartbeat;
    heartbeat.set_journal_position(200);
    return heartbeat;
  });
  two.client->start();
  clock_.advance(seconds(1));
  request.set_journal_position(200);
  ASSERT_TRUE(clock_.run(two.client->register_blade(request)).ok());
  EXPECT_GT(held_by(2), 0U);
  clock_.advance(seconds(1));
  request.set_journal_position(199);
  ASSERT_TRUE(clock_.run(two.client->register_blade(request)).ok());
  EXPECT_EQ(held_by(2), 0U);
}

TEST_F(ReplicasTest, WantsAReplacementAtOnceWhereOneReplicaIsLeft) {
  register_all();
  kill("blade-2");
  kill("blade-3");
  clock_.advance(milliseconds(50));
  size_t in_danger = 0;
  for (uint32_t p = 0; p < 16; ++p) {
    const bool danger = manager_->map()->live_replicas(PartitionId(p)) == 1;
    in_danger += danger ? 1 : 0;
    if (danger) EXPECT_FALSE(wants(p, 2) || wants(p, 3));
    if (!danger) EXPECT_EQ(ids(partition(p).wanted()), ids(partition(p).replicas()));
  }
  EXPECT_GT(in_danger, 0U);
}

TEST_F(ReplicasTest, PlansAnewAfterARestartWithMoreReplicas) {
  stop_manager();
  options_.replica_count = 1;
  start_manager();
  register_all();
  const Ids alone = ids(partition(0).wanted());
  stop_manager();
  options_.replica_count = 3;
  start_manager();
  clock_.advance(seconds(1));
  EXPECT_EQ(partition(0).wanted_size(), 3);
  EXPECT_EQ(partition(0).wanted(0), alone[0]);
  EXPECT_EQ(ids(partition(0).replicas()), alone) << "the new ones have to catch up";
}

// It may have thrown away what it had copied, as the map told it to.
TEST_F(ReplicasTest, RefusesAJoinerThatIsNotWanted) {
  register_all();
  const uint32_t primary = partition(0).primary();
  const uint32_t joiner = outsider(0);
  Ids more = ids(partition(0).replicas());
  more.push_back(joiner);
  const auto reply = ask(primary, {change_of(0, 1, primary, more, session(joiner))});
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  ASSERT_EQ(reply->refused_size(), 1);
  EXPECT_NE(reply->refused(0).find("is not wanted"), std::string::npos) << reply->refused(0);
}

TEST_F(ReplicasTest, MakesValidChangesInOneTransactionAndSaysWhyNotTheOthers) {
  register_all();
  const uint32_t primary = partition(0).primary();
  const uint64_t before = epoch();
  const Ids all = ids(partition(0).replicas());
  const uint32_t joiner = all.back();
  const Ids fewer(all.begin(), all.end() - 1);
  const uint32_t other = partition_without(primary);
  auto reply = ask(primary, {change_of(0, 1, primary, fewer), change_of(0, 1, primary, fewer),
                             change_of(0, 2, primary, all, session(joiner)),
                             change_of(other, 1, primary, {primary}), change_of(99, 1, 1, {1})});
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  ASSERT_EQ(reply->refused_size(), 3);
  EXPECT_NE(reply->refused(0).find("partition 0: it is in term 2, not 1"), std::string::npos);
  EXPECT_NE(reply->refused(1).find("is not in sync"), std::string::npos);
  EXPECT_NE(reply->refused(2).find("there is none"), std::string::npos);
  EXPECT_EQ(epoch(), before + 1);
  EXPECT_EQ(partition(0).term(), 3U);
  EXPECT_EQ(ids(partition(0).replicas()), all);
  EXPECT_EQ(partition(other).term(), 1U);
  EXPECT_EQ(reply->map().epoch(), before + 1);
  EXPECT_EQ(reply->map().keys_size() + reply->map().users_size(), 0);
  Peer& asker = peers_[fmt::format("blade-{}", primary)];
  EXPECT_EQ(asker.holder.get()->epoch(), Epoch(before + 1)) << "the map of the reply is in use";
}

TEST_F(ReplicasTest, ChangesNothingWhenAllIsRefused) {
  register_all();
  const uint64_t before = epoch();
  const uint32_t stranger = outsider(0);
  auto reply = ask(stranger, {change_of(0, 1, stranger, {stranger}, session(stranger))});
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->refused_size(), 1);
  EXPECT_EQ(reply->map().epoch(), before);
  EXPECT_EQ(epoch(), before);
}

TEST_F(ReplicasTest, LetsAMemberTakeOverFromADeadPrimary) {
  register_all();
  const Ids members = ids(partition(3).replicas());
  kill(fmt::format("blade-{}", members[0]));
  clock_.advance(milliseconds(50));
  ASSERT_TRUE(ask(members[1], {change_of(3, 1, members[1], {members[1], members[2]})}).ok());
  EXPECT_EQ(partition(3).primary(), members[1]);
  EXPECT_EQ(manager_->map()->primary(PartitionId(3)), BladeId(members[1]));
  EXPECT_EQ(partition(3).term(), 2U);
  auto late = ask(members[2], {change_of(3, 1, members[2], {members[2]})});
  ASSERT_TRUE(late.ok());
  EXPECT_EQ(late->refused_size(), 1) << "another was faster";
  EXPECT_EQ(partition(3).primary(), members[1]);
}

TEST_F(ReplicasTest, RefusesAnEarlierProcessAndADeadBlade) {
  register_all();
  const uint32_t primary = partition(0).primary();
  const proto::PartitionChange change = change_of(0, 1, primary, {primary});
  const uint64_t before = epoch();
  network_.isolate(fmt::format("blade-{}", primary));
  clock_.advance(seconds(3));
  ASSERT_EQ(state(primary), proto::BLADE_DEAD);
  network_.heal();
  auto dead = ask(primary, {change});
  ASSERT_TRUE(dead.failed_with(Errc::denied));
  EXPECT_NE(dead.error().context.find("fenced"), std::string::npos);
  clock_.advance(seconds(3));
  ASSERT_EQ(state(primary), proto::BLADE_HEALTHY);
  // Another process of the same blade registers; the first one does not know yet.
  auto request = blade_request(primary, primary, array_id());
  Peer& second = peer("second");
  ASSERT_TRUE(clock_.run(second.client->register_blade(request)).ok());
  auto earlier = ask(primary, {change_of(0, partition(0).term(), primary, {primary})});
  EXPECT_TRUE(earlier.failed_with(Errc::denied));
  EXPECT_EQ(partition(0).replicas_size(), 3);
  EXPECT_GT(epoch(), before);
}

TEST_F(ReplicasTest, GivesARestartedPrimaryAnotherTermSoThatItsOldChangesAreVoid) {
  register_all();
  kill("blade-1");
  clock_.advance(milliseconds(50));
  std::vector<proto::Partition> before;
  before.reserve(16);
  for (uint32_t p = 0; p < 16; ++p) before.push_back(partition(p));
  come_back(1);
  for (uint32_t p = 0; p < 16; ++p) {
    EXPECT_EQ(partition(p).term(), before[p].term() + (before[p].primary() == 1 ? 1 : 0));
    EXPECT_EQ(ids(partition(p).replicas()), ids(before[p].replicas()));
  }
}

TEST_F(ReplicasTest, RefusesAJoinerThatRestartedAfterItHadCaughtUp) {
  register_all();
  const uint32_t primary = partition(0).primary();
  const Ids all = ids(partition(0).replicas());
  const uint32_t joiner = all.back();
  ASSERT_TRUE(ask(primary, {change_of(0, 1, primary, Ids(all.begin(), all.end() - 1))}).ok());
  const uint64_t caught_up = session(joiner);
  kill(fmt::format("blade-{}", joiner));
  clock_.advance(milliseconds(50));
  come_back(joiner);
  auto reply = ask(primary, {change_of(0, partition(0).term(), primary, all, caught_up)});
  ASSERT_TRUE(reply.ok());
  ASSERT_EQ(reply->refused_size(), 1);
  EXPECT_NE(reply->refused(0).find("caught up in session"), std::string::npos) << reply->refused(0);
  EXPECT_FALSE(manager_->map()->is_replica(PartitionId(0), BladeId(joiner)));
}

TEST_F(ReplicasTest, DropsADamagedBladeOnceAndWantsItAsAJoiner) {
  register_all();
  kill("blade-1");
  clock_.advance(milliseconds(50));
  std::vector<proto::Partition> before;
  before.reserve(16);
  for (uint32_t p = 0; p < 16; ++p) before.push_back(partition(p));
  come_back(1, true);
  for (uint32_t p = 0; p < 16; ++p) {
    const bool held = std::ranges::count(before[p].replicas(), 1U) == 1;
    EXPECT_EQ(partition(p).term(), before[p].term() + (held ? 1 : 0));
    EXPECT_FALSE(manager_->map()->is_replica(PartitionId(p), BladeId(1)));
    EXPECT_TRUE(manager_->map()->is_replica(PartitionId(p), BladeId(partition(p).primary())));
    EXPECT_EQ(ids(partition(p).wanted()), ids(before[p].wanted()));
  }
  // It catches up, is cut off and registers again: what it got since is whole.
  uint32_t p = 0;
  while (!wants(p, 1)) ++p;
  Ids more = ids(partition(p).replicas());
  more.push_back(1);
  const uint32_t primary = partition(p).primary();
  ASSERT_TRUE(ask(primary, {change_of(p, partition(p).term(), primary, more, session(1))}).ok());
  ASSERT_TRUE(manager_->map()->is_replica(PartitionId(p), BladeId(1)));
  const uint64_t cut_off = session(1);
  network_.isolate("blade-1");
  clock_.advance(seconds(3));
  network_.heal();
  clock_.advance(seconds(3));
  ASSERT_GT(session(1), cut_off);
  EXPECT_TRUE(manager_->map()->is_replica(PartitionId(p), BladeId(1)));
}

TEST_F(ReplicasTest, SaysWhatIsKnownOfAChangeThatWasNotAnswered) {
  register_all();
  const uint32_t primary = partition(0).primary();
  const proto::PartitionChange change = change_of(0, 1, primary, {primary});
  store_.fail_transactions(true);
  EXPECT_TRUE(ask(primary, {change}).failed_with(Errc::unavailable)) << "nothing was done";
  store_.fail_transactions(false);
  EXPECT_EQ(partition(0).term(), 1U);
  const std::string node = fmt::format("blade-{}", primary);
  network_.cut("manager", node);
  EXPECT_TRUE(ask(primary, {change}).failed_with(Errc::timeout)) << "done, but who knows";
  EXPECT_EQ(partition(0).term(), 2U);
  network_.end_cut("manager", node);
  auto again = ask(primary, {change});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->refused_size(), 1);
  EXPECT_EQ(again->map().partitions(0).term(), 2U) << "now it knows";
}

}  // namespace
}  // namespace turbine::cluster
