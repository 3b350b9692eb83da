#include <gtest/gtest.h>

#include "replica/slots.hpp"
#include "replica/test_cluster.hpp"

namespace turbine::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Texts = std::vector<std::string>;

bool all_hold(TestCluster& cluster, const std::vector<uint32_t>& blades, const Texts& texts) {
  return cluster.wait([&] {
    return std::ranges::all_of(blades, [&](uint32_t blade) {
      return cluster.replica(blade) != nullptr && cluster.rows(blade).contents() == texts;
    });
  });
}

TEST(Replica, AppliesAnEntryOnAllMembersOnceAllHaveIt) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_EQ(cluster.server(), 1U);
  ASSERT_TRUE(cluster.put(1, "one").ok());
  for (const uint32_t member : {2, 3}) EXPECT_GE(cluster.replica(member)->durable(), Lsn(1));
  ASSERT_TRUE(cluster.put(1, "two").ok());
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, {"one", "two"}));
}

TEST(Replica, AnotherMemberLeadsWithinThreeSecondsOfThePrimarysDeath) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_TRUE(cluster.put(1, "one").ok());
  const uint64_t term = cluster.config().term();
  const TimePoint died = cluster.clock.now();
  cluster.crash(1);
  ASSERT_TRUE(cluster.wait_for_server());
  EXPECT_LT(cluster.clock.now() - died, seconds(3));
  // The other one stays its member.
  EXPECT_EQ(cluster.config().replicas_size(), 2);
  EXPECT_EQ(cluster.config().term(), term + 1);
  ASSERT_TRUE(cluster.put(cluster.server(), "two").ok());
  EXPECT_TRUE(all_hold(cluster, {2, 3}, {"one", "two"}));
}

// Two messages to a member are on their way at a time.
TEST(Replica, AMemberWaitsForTheMessageThatWasOvertaken) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_TRUE(cluster.put(1, "0").ok());
  const auto number = [&](uint32_t blade) {
    return cluster.replica(1)->followers().at(BladeId(blade)).number;
  };
  const uint64_t number_2 = number(2), number_3 = number(3);
  cluster.network.set_faults({.delay_min = {}, .delay_max = milliseconds(20)});
  Texts texts = {"0"};
  for (int i = 1; i <= 200; ++i) {
    texts.push_back(std::to_string(i));
    cluster.blade(1).set->gate().spawn("put", cluster.replica(1)->append(entry_of(texts.back())));
    cluster.clock.advance(milliseconds(1));
  }
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, texts));
  EXPECT_GT(cluster.network.counters().reordered, 10U);
  // Nobody had to be brought into step again.
  EXPECT_EQ(number(2), number_2);
  EXPECT_EQ(number(3), number_3);
}

// Its configuration has not changed meanwhile, and nothing new is written.
TEST(Replica, AMemberThatComesBackAtOnceLearnsWhatWasCommitted) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_TRUE(cluster.put(1, "one").ok());
  ASSERT_TRUE(cluster.put(1, "two").ok());
  const uint64_t term = cluster.config().term();
  cluster.crash(3);
  cluster.start(3);
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, {"one", "two"}));
  EXPECT_EQ(cluster.config().term(), term);
  ASSERT_TRUE(cluster.put(1, "three").ok());
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, {"one", "two", "three"}));
}

TEST(Replica, TheLastMemberGoesOnAloneAndGetsTheOthersBack) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_TRUE(cluster.put(1, "one").ok());
  cluster.crash(1);
  cluster.crash(2);
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_EQ(cluster.server(), 3U);
  ASSERT_TRUE(cluster.put(3, "two").ok());
  cluster.start(1);
  cluster.start(2);
  ASSERT_TRUE(cluster.wait([&] { return cluster.config().replicas_size() == 3; }));
  // The plan names blade 1: it leads again, by itself.
  ASSERT_TRUE(cluster.wait([&] { return cluster.server() == 1; }));
  ASSERT_TRUE(cluster.put(1, "three").ok());
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, {"one", "two", "three"}));
}

TEST(Replica, AWipedBladeGetsTheWholeState) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  Texts texts;
  // More than is kept of the log.
  for (int i = 0; i < 12; ++i) {
    texts.emplace_back(64 << 10, static_cast<char>('a' + i));
    ASSERT_TRUE(cluster.put(1, texts.back()).ok());
  }
  cluster.crash(3);
  ASSERT_TRUE(cluster.wait([&] { return cluster.config().replicas_size() == 2; }));
  cluster.wipe(3);
  cluster.start(3);
  ASSERT_TRUE(cluster.wait([&] { return cluster.config().replicas_size() == 3; }));
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, texts));
  // What it copied is durable before it counts.
  cluster.crash(3);
  cluster.start(3);
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, texts));
}

TEST(Replica, TellsOfEveryReplicaHeldHowFarItsLogGoes) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_TRUE(cluster.put(1, "one").ok());
  const uint64_t first_term = cluster.config().term();
  cluster.crash(3);
  ASSERT_TRUE(cluster.wait([&] { return cluster.config().replicas_size() == 2; }));
  ASSERT_TRUE(cluster.put(1, "two").ok());
  cluster.start(3);
  // Out of its journal, before anybody has told it more.
  const auto behind = cluster.blade(3).set->logs().value();
  ASSERT_EQ(behind.size(), 1U);
  EXPECT_EQ(behind[0].last_lsn(), 1U);
  EXPECT_EQ(behind[0].last_term(), first_term);
  for (const uint32_t blade : {1U, 2U}) {
    const auto ahead = cluster.blade(blade).set->logs().value();
    ASSERT_EQ(ahead.size(), 1U);
    EXPECT_EQ(ahead[0].last_lsn(), 2U);
    EXPECT_GT(ahead[0].last_term(), first_term);
  }
  // One that the journal has no record of, and that the map does not name here.
  kv::WriteBatch batch;
  batch.put(slot_range(PartitionId(5), 0).first + "row", "old");
  ASSERT_TRUE(cluster.blade(3).kv->write(std::move(batch)).ok());
  const auto all = cluster.blade(3).set->logs().value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].partition(), 5U);
  EXPECT_EQ(all[1].last_lsn(), 1U);
}

// More is written while the state is copied than is kept of the log otherwise.
TEST(Replica, AJoinerCatchesUpUnderLoad) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  const std::string large(64 << 10, 'x');
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(cluster.put(1, large).ok());
  cluster.crash(3);
  ASSERT_TRUE(cluster.wait([&] { return cluster.config().replicas_size() == 2; }));
  cluster.wipe(3);
  cluster.start(3);
  const TimePoint end = cluster.clock.now() + seconds(3);
  while (cluster.config().replicas_size() < 3 && cluster.clock.now() < end) {
    ASSERT_TRUE(cluster.put(1, large).ok());
  }
  EXPECT_EQ(cluster.config().replicas_size(), 3);
}

TEST(Replica, ALateCopyOfAnEarlierSyncCutsNothing) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_TRUE(cluster.put(1, "one").ok());
  Replica& member = *cluster.replica(2);
  ASSERT_EQ(member.machine()->applied_lsn(), Lsn(0)) << "not told yet that it is committed";
  asio::co_spawn(cluster.clock.executor(), member.cut(100, Lsn(1)),
                 [](const std::exception_ptr&, const Result<>& done) { EXPECT_TRUE(done.ok()); });
  cluster.clock.advance(std::chrono::microseconds(10));
  EXPECT_TRUE(cluster.clock.run(member.cut(99, Lsn(0))).failed_with(Errc::conflict));
  EXPECT_EQ(member.log().last(), Lsn(1));
}

// The first request may be decided late, whatever became of the second one: leases that were
// granted meanwhile would let two primaries answer.
TEST(Replica, AMemberInDoubtOfItsTakeOverGrantsNothing) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  cluster.blade(2).unheard = true;
  cluster.blade(1).cut = cluster.blade(3).cut = true;
  cluster.network.isolate("blade-1");
  cluster.clock.advance(seconds(6));  // asked in vain several times since
  ASSERT_EQ(cluster.late_changes.size(), 1U);
  cluster.network.end_isolation("blade-1");
  cluster.clock.advance(seconds(3));
  EXPECT_EQ(cluster.server(), 0U);
  cluster.blade(2).cut = cluster.blade(3).cut = false;
  ASSERT_TRUE(cluster.decide(2, cluster.late_changes).ok());
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_TRUE(cluster.put(cluster.server(), "one").ok());
}

TEST(Replica, AMemberThatCertainlyAskedInVainGrantsAgain) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  for (const uint32_t blade : {1, 2, 3}) cluster.blade(blade).cut = true;
  cluster.network.isolate("blade-1");
  cluster.clock.advance(seconds(4));
  cluster.network.end_isolation("blade-1");
  EXPECT_TRUE(cluster.wait([&] { return cluster.server() == 1; }));
}

TEST(Replica, AMemberWhoseDeviceHangsIsDroppedAndComesBack) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  cluster.blade(3).log->stuck = true;
  ASSERT_TRUE(cluster.put(1, "one").ok());
  EXPECT_EQ(cluster.config().replicas_size(), 2);
  cluster.blade(3).log->stuck = false;
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, {"one"}));
  EXPECT_TRUE(cluster.wait([&] { return cluster.config().replicas_size() == 3; }));
}

TEST(Replica, APrimaryWhoseDeviceHangsGivesItsPlaceToAMember) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  cluster.blade(1).log->stuck = true;
  asio::co_spawn(cluster.clock.executor(), cluster.replica(1)->append(entry_of("one")),
                 [](const std::exception_ptr&, const Result<>&) {});
  ASSERT_TRUE(cluster.wait_for_server(1));
  ASSERT_TRUE(cluster.put(cluster.server(), "two").ok());
  cluster.blade(1).log->stuck = false;
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, {"one", "two"}));
}

TEST(Replica, SlowDevicesEverywhereDropNobody) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  const uint64_t term = cluster.config().term();
  for (const uint32_t blade : {1, 2, 3}) cluster.blade(blade).log->stuck = true;
  asio::co_spawn(cluster.clock.executor(), cluster.replica(1)->append(entry_of("one")),
                 [](const std::exception_ptr&, const Result<>&) {});
  cluster.clock.advance(seconds(8));
  for (const uint32_t blade : {1, 2, 3}) cluster.blade(blade).log->stuck = false;
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, {"one"}));
  EXPECT_EQ(cluster.config().replicas_size(), 3);
  EXPECT_EQ(cluster.config().term(), term);
}

// As after a restore from an old copy: the manager takes it for what it was.
TEST(Replica, APrimaryThatCameBackOlderThanItWasLosesNothing) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_TRUE(cluster.put(1, "one").ok());
  ASSERT_TRUE(cluster.put(1, "two").ok());
  for (const uint32_t blade : {2, 3}) {
    ASSERT_TRUE(cluster.wait([&] { return cluster.rows(blade).contents().size() == 2; }));
    ASSERT_TRUE(cluster.clock.run(cluster.blade(blade).kv->flush()).ok());
  }
  for (const uint32_t blade : {1, 2, 3}) cluster.crash(blade);
  cluster.wipe(1);
  for (const uint32_t blade : {1, 2, 3}) cluster.start(blade);
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_TRUE(cluster.put(cluster.server(), "three").ok());
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, {"one", "two", "three"}));
}

// Its journal would fill up with what others write, and the blade would stand still.
TEST(Replica, EntriesThatNobodyAppliesMoveToTheJournalsEnd) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_TRUE(cluster.put(1, "one").ok());
  cluster.network.isolate("blade-1");
  cluster.blade(1).cut = true;
  asio::co_spawn(cluster.clock.executor(), cluster.replica(1)->append(entry_of("mine")),
                 [](const std::exception_ptr&, const Result<>&) {});
  cluster.clock.advance(milliseconds(50));
  const auto oldest = [&] {
    return cluster.blade(1).set->unapplied_from(cluster.blade(1).journal->end());
  };
  const journal::Position before = cluster.blade(1).journal->end();
  ASSERT_LT(oldest(), before);
  cluster.blade(1).set->carry_forward(before);
  cluster.clock.advance(milliseconds(50));
  EXPECT_GE(oldest(), before);
  // The copy is the same entry: it goes like the first when others have gone on without it.
  ASSERT_TRUE(cluster.wait_for_server(1));
  ASSERT_TRUE(cluster.put(cluster.server(), "two").ok());
  cluster.crash(1);
  cluster.network.end_isolation("blade-1");
  cluster.blade(1).cut = false;
  cluster.start(1);
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, {"one", "two"}));
}

TEST(Replica, ACutOffPrimaryAnswersNobodyBeforeAnotherDoes) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  ASSERT_TRUE(cluster.put(1, "one").ok());
  cluster.network.isolate("blade-1");
  cluster.blade(1).cut = true;
  // server() fails the test when two may answer.
  ASSERT_TRUE(cluster.wait_for_server(1));
  const uint32_t other = cluster.server();
  ASSERT_TRUE(cluster.put(other, "two").ok());
  EXPECT_FALSE(cluster.replica(1)->answerable());
  asio::co_spawn(cluster.clock.executor(), cluster.replica(1)->append(entry_of("lost")),
                 [](const std::exception_ptr&, const Result<>&) {});
  cluster.network.end_isolation("blade-1");
  cluster.blade(1).cut = false;
  cluster.blade(1).map.update(cluster.record);
  EXPECT_TRUE(all_hold(cluster, {1, 2, 3}, {"one", "two"}));
}

TEST(Replica, AllMembersLosePowerAndNothingThatWasCommittedIsLost) {
  TestCluster cluster(3, 3, {1, 2, 3});
  ASSERT_TRUE(cluster.wait_for_server());
  for (const char* text : {"one", "two", "three"}) ASSERT_TRUE(cluster.put(1, text).ok());
  for (const uint32_t blade : {1, 2, 3}) cluster.crash(blade);
  cluster.start(2);
  ASSERT_TRUE(cluster.wait_for_server());
  EXPECT_EQ(cluster.rows(2).contents(), (Texts{"one", "two", "three"}));
}

}  // namespace
}  // namespace turbine::replica
