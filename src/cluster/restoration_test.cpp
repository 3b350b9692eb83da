#include "cluster/restoration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/array_records.hpp"
#include "cluster/config_backup.hpp"
#include "cluster/manager_fixture.hpp"
#include "cluster/map_record.hpp"

namespace turbine::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr uint64_t kNow = 1'790'000'000'000;  // ms

/// An array of three blades and one partition, led by blade 1 in term 5.
struct Restored {
  proto::ClusterMap map;
  proto::ArrayCounters counters;

  explicit Restored(std::vector<uint32_t> lost = {}) {
    map.set_array_id("a");
    map.set_epoch(40);
    counters.set_next_session(20);
    counters.set_next_user(3);
    for (uint32_t id = 1; id <= 3; ++id) {
      proto::Blade& blade = *map.add_blades();
      blade.set_id(id);
      blade.set_state(proto::BLADE_HEALTHY);
      blade.set_session(id);
      blade.set_process(id);
    }
    proto::Partition& partition = *map.add_partitions();
    partition.set_primary(1);
    partition.set_term(5);
    for (uint32_t id = 1; id <= 3; ++id) partition.add_replicas(id);
    EXPECT_TRUE(begin_restoration(map, counters, kNow - 1000, kNow, lost).ok());
  }

  static proto::RegisterBladeRequest request(uint64_t term, uint64_t lsn, uint64_t process) {
    proto::RegisterBladeRequest request;
    request.set_starting(true);
    request.add_processes(process);
    proto::ReplicaLog& log = *request.add_logs();
    log.set_last_term(term);
    log.set_last_lsn(lsn);
    return request;
  }
  Result<> tell(uint32_t blade, const proto::RegisterBladeRequest& request) {
    find_blade(map, blade)->set_state(proto::BLADE_HEALTHY);
    TRY(take_logs(map, counters, request, blade));
    (void)try_end_restoration(map, counters);
    return {};
  }
  bool tell(uint32_t blade, uint64_t term, uint64_t lsn) {
    return tell(blade, request(term, lsn, 100 + blade)).ok();
  }
  bool over() const { return !counters.has_restoration(); }
  std::vector<uint32_t> replicas() const {
    return {map.partitions(0).replicas().begin(), map.partitions(0).replicas().end()};
  }
  uint32_t primary() const { return map.partitions(0).primary(); }
  uint64_t term() const { return map.partitions(0).term(); }
};

TEST(Restoration, LetsNobodyLeadAndGoesOnWithNumbersThatWereNeverGiven) {
  const Restored array;
  EXPECT_EQ(array.primary(), 0U);
  EXPECT_THAT(array.replicas(), ElementsAre());
  EXPECT_GE(array.term(), kNow);
  EXPECT_GE(array.map.epoch(), kNow);
  EXPECT_GE(array.counters.next_session(), kNow);
  EXPECT_GE(array.counters.next_user(), kNow);
  for (const proto::Blade& blade : array.map.blades()) {
    EXPECT_FALSE(is_up(blade.state()));
    EXPECT_EQ(blade.session(), 0U);
  }
  EXPECT_THAT(array.map.restoring(), HasSubstr("blade 1, 2, 3 has started"));
}

TEST(Restoration, GoesOnBeyondTheBackupsNumbersWhereTheClockIsBehind) {
  Restored array;
  array.map.mutable_partitions(0)->set_term(kNow * 2);
  array.map.set_epoch(kNow * 3);
  ASSERT_TRUE(begin_restoration(array.map, array.counters, kNow, kNow, {}).ok());
  EXPECT_GT(array.term(), kNow * 2);
  EXPECT_GT(array.map.epoch(), kNow * 3);
}

TEST(Restoration, WaitsForEveryBlade) {
  Restored array;
  ASSERT_TRUE(array.tell(1, 5, 10));
  ASSERT_TRUE(array.tell(2, 5, 10));
  EXPECT_FALSE(array.over());
  EXPECT_EQ(array.primary(), 0U);
  EXPECT_THAT(array.map.restoring(), HasSubstr("blade 3 has started"));
  ASSERT_TRUE(array.tell(3, 5, 10));
  EXPECT_TRUE(array.over());
  EXPECT_EQ(array.map.restoring(), "");
  EXPECT_EQ(array.primary(), 1U);
  EXPECT_THAT(array.replicas(), UnorderedElementsAre(1, 2, 3));
}

TEST(Restoration, DropsAMemberThatTheBackupNamesAndThatWasDroppedSince) {
  Restored array;
  array.tell(1, 5, 10);  // the backup's primary: dead since, and dropped
  array.tell(2, 6, 12);
  array.tell(3, 6, 12);
  ASSERT_TRUE(array.over());
  EXPECT_THAT(array.replicas(), UnorderedElementsAre(2, 3));
  EXPECT_NE(array.primary(), 1U);
  EXPECT_GT(array.term(), kNow);
}

TEST(Restoration, ALaterTermBeatsALongerLogOfAnEarlierOne) {
  Restored array;
  array.tell(1, 5, 100);  // its tail was never acknowledged: it lacked the others' word
  array.tell(2, 7, 12);
  array.tell(3, 6, 50);
  ASSERT_TRUE(array.over());
  EXPECT_THAT(array.replicas(), ElementsAre(2));
}

TEST(Restoration, OfOneTermTheLongestLogHasAllThatWasAcknowledged) {
  Restored array;
  array.tell(1, 6, 11);
  array.tell(2, 6, 12);
  array.tell(3, 6, 11);
  ASSERT_TRUE(array.over());
  EXPECT_THAT(array.replicas(), ElementsAre(2));
  EXPECT_EQ(array.primary(), 2U);
}

TEST(Restoration, AReplicaThatTheBackupDoesNotNameMayBeTheOneThatHasAll) {
  Restored array;
  array.counters.mutable_restoration()->mutable_partitions(0)->clear_replicas();
  array.counters.mutable_restoration()->mutable_partitions(0)->add_replicas(1);
  array.tell(1, 5, 10);
  array.tell(2, 5, 10);
  array.tell(3, 9, 11);
  ASSERT_TRUE(array.over());
  EXPECT_THAT(array.replicas(), ElementsAre(3));
}

TEST(Restoration, ItsTermIsBeyondEveryTermOfAnEntry) {
  Restored array;
  array.tell(1, kNow * 4, 10);
  array.tell(2, 5, 10);
  array.tell(3, 5, 10);
  ASSERT_TRUE(array.over());
  EXPECT_GT(array.term(), kNow * 4);
}

TEST(Restoration, ADamagedReplicaIsInSyncOnlyWhereNoSoundOneHasAsMuch) {
  Restored array;
  auto damaged = Restored::request(6, 12, 101);
  damaged.set_damaged(true);
  ASSERT_TRUE(array.tell(1, damaged).ok());
  Restored other = array;
  array.tell(2, 6, 12);
  array.tell(3, 6, 11);
  EXPECT_THAT(array.replicas(), ElementsAre(2));
  other.tell(2, 6, 11);
  other.tell(3, 6, 11);
  EXPECT_THAT(other.replicas(), ElementsAre(1));
}

TEST(Restoration, AnEmptyPartitionKeepsTheReplicasOfTheBackup) {
  Restored array;
  for (const uint32_t blade : {1U, 2U, 3U}) array.tell(blade, 0, 0);
  ASSERT_TRUE(array.over());
  EXPECT_THAT(array.replicas(), UnorderedElementsAre(1, 2, 3));
  EXPECT_EQ(array.primary(), 1U);
}

TEST(Restoration, DoesNotWaitForALostBlade) {
  Restored array({2});
  array.tell(1, 5, 10);
  EXPECT_THAT(array.map.restoring(), HasSubstr("blade 3 has started"));
  array.tell(3, 5, 12);
  ASSERT_TRUE(array.over());
  EXPECT_THAT(array.replicas(), ElementsAre(3));
}

TEST(Restoration, APartitionThatOnlyALostBladeMayHoldWaitsForIt) {
  Restored array({2});
  array.tell(1, 0, 0);
  array.tell(3, 0, 0);
  ASSERT_TRUE(array.over());
  EXPECT_THAT(array.replicas(), ElementsAre(2)) << "taken for empty, it would be made anew";
}

TEST(Restoration, AProcessThatRanBeforeMustStartAnew) {
  Restored array;
  auto running = Restored::request(0, 0, 7);
  running.clear_logs();
  running.set_starting(false);
  const Result<> told = array.tell(1, running);
  ASSERT_TRUE(told.failed_with(Errc::denied));
  EXPECT_THAT(told.error().context, HasSubstr("must be started again"));
  EXPECT_EQ(array.counters.restoration().reports_size(), 0);
  // One that has told stands still, and may lose touch and register once more.
  ASSERT_TRUE(array.tell(1, Restored::request(6, 12, 7)).ok());
  EXPECT_TRUE(array.tell(1, running).ok());
  EXPECT_EQ(array.counters.restoration().reports(0).logs(0).last_lsn(), 12U);
}

TEST(Restoration, ABladeThatStartsAgainTellsAgain) {
  Restored array;
  ASSERT_TRUE(array.tell(1, Restored::request(6, 12, 7)).ok());
  ASSERT_TRUE(array.tell(1, Restored::request(6, 11, 8)).ok());
  ASSERT_EQ(array.counters.restoration().reports_size(), 1);
  EXPECT_EQ(array.counters.restoration().reports(0).logs(0).last_lsn(), 11U);
}

TEST(Restoration, RefusesLogsThatCanNotBeCompared) {
  Restored array;
  EXPECT_TRUE(array.tell(1, Restored::request(0, 12, 7)).failed_with(Errc::denied));
  auto unknown = Restored::request(6, 12, 7);
  unknown.mutable_logs(0)->set_partition(1);
  EXPECT_TRUE(array.tell(1, unknown).failed_with(Errc::denied));
}

TEST(Restoration, ABackupOfAnArrayUnderRestorationKnowsTheConfigurationsOfTheFirst) {
  Restored array;
  array.tell(1, 5, 10);
  const uint64_t term = array.term();
  ASSERT_TRUE(begin_restoration(array.map, array.counters, kNow, kNow + 1, {}).ok());
  EXPECT_THAT(array.counters.restoration().partitions(0).replicas(), UnorderedElementsAre(1, 2, 3));
  EXPECT_EQ(array.counters.restoration().reports_size(), 0) << "of processes that may have gone on";
  EXPECT_GT(array.term(), term);
}

TEST(Restoration, RefusesWhatCanNotBeGoneOnFrom) {
  Restored array;
  EXPECT_TRUE(
      begin_restoration(array.map, array.counters, kNow, kNow, {9}).failed_with(Errc::invalid));
  array.map.clear_partitions();
  EXPECT_TRUE(
      begin_restoration(array.map, array.counters, kNow, kNow, {}).failed_with(Errc::invalid));
}

/// A manager that is restored to an earlier time while its blades have gone on.
class RestoredManagerTest : public ManagerTest {
 protected:
  void restore() {
    stop_manager();
    auto backup = make_config_backup(saved_, kNow).value();
    RestoreOrder order{.array_id = backup.array_id, .now_ms = kNow, .force = true};
    ASSERT_TRUE(clock_.run(restore_config(store_, backup, order)).ok());
    start_manager();
  }
  void save() { saved_ = clock_.run(store_.list("array/")).value(); }
  Result<proto::RegisterBladeReply> start_blade(uint32_t id, uint64_t lsn) {
    const std::string name = fmt::format("blade-{}", id);
    EXPECT_TRUE(clock_.run(peers_[name].client->stop()).ok());
    peers_[name].transport.reset();
    auto request = blade_request(id, id, array_id());
    request.set_starting(true);
    request.add_processes(1000 + id);
    proto::ReplicaLog& log = *request.add_logs();
    log.set_partition(4);
    log.set_last_term(3);
    log.set_last_lsn(lsn);
    Peer& again = peer(name);
    auto reply = clock_.run(again.client->register_blade(std::move(request)));
    again.client->start();
    return reply;
  }
  std::vector<StoreRecord> saved_;
};

TEST_F(RestoredManagerTest, ServesWhenAllBladesHaveStartedAnewAndFromTheNewestLogs) {
  options_.replica_count = 3;
  stop_manager();
  start_manager();
  std::vector<Error> refused;
  for (int id = 1; id <= 3; ++id) {
    blade(id).client->on_refused([&refused](Error why) { refused.push_back(std::move(why)); });
  }
  ASSERT_EQ(manager_->map()->partition_count(), 16U);
  const uint64_t epoch = manager_->map()->record().epoch();
  save();
  ASSERT_TRUE(clock_.run(manager_->create_user("since")).ok());
  restore();
  EXPECT_GT(manager_->map()->record().epoch(), epoch);
  EXPECT_EQ(manager_->map()->record().users_size(), 1) << "as of the backup";

  // Processes that went on under the former map are sent away, and none of them leads meanwhile.
  EXPECT_TRUE(clock_.run_until([&] { return refused.size() >= 3; }, std::chrono::seconds(5)));
  EXPECT_THAT(refused[0].context, HasSubstr("must be started again"));
  EXPECT_EQ(peers_["blade-1"].holder.get()->primary(PartitionId(4)), BladeId(0));

  ASSERT_TRUE(start_blade(1, 10).ok());
  ASSERT_TRUE(start_blade(2, 12).ok());
  EXPECT_EQ(manager_->map()->primary(PartitionId(4)), BladeId(0));
  EXPECT_THAT(manager_->map()->record().restoring(), HasSubstr("blade 3 "));
  stop_manager();
  start_manager();  // what they told is in the store
  ASSERT_TRUE(start_blade(3, 12).ok());
  const proto::Partition& moved = *manager_->map()->partition(PartitionId(4));
  EXPECT_THAT(moved.replicas(), UnorderedElementsAre(2, 3));
  EXPECT_NE(moved.primary(), 1U);
  EXPECT_THAT(moved.wanted(), UnorderedElementsAre(1, 2, 3)) << "blade 1 is to join again";
  EXPECT_THAT(manager_->map()->partition(PartitionId(5))->replicas(),
              UnorderedElementsAre(1, 2, 3));
  EXPECT_EQ(manager_->map()->record().restoring(), "");
}

TEST_F(RestoredManagerTest, NumbersOfUsersGoOnSoThatNobodyOwnsAnothersBuckets) {
  for (int id = 1; id <= 3; ++id) blade(id);
  save();
  const uint64_t since = clock_.run(manager_->create_user("since")).value().id();
  restore();
  EXPECT_GT(clock_.run(manager_->create_user("later")).value().id(), since);
}

TEST_F(RestoredManagerTest, ABlankBladeIsNotAddedMeanwhile) {
  for (int id = 1; id <= 3; ++id) blade(id);
  save();
  restore();
  const auto added = clock_.run(peer("blade-4").client->register_blade(blade_request(4)));
  EXPECT_TRUE(added.failed_with(Errc::denied));
}

}  // namespace
}  // namespace turbine::cluster
