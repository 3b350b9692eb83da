#include "cluster/manager.hpp"

#include <gtest/gtest.h>

#include "cluster/manager_fixture.hpp"

namespace turbine::cluster {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(ManagerTest, PlansOnceAllExpectedBladesHaveRegistered) {
  Peer& one = blade(1);
  blade(2);
  clock_.advance(seconds(2));
  EXPECT_EQ(one.holder.get()->partition_count(), 0U);
  EXPECT_EQ(one.holder.get()->choose_group(0, {}), nullptr);
  blade(3);
  clock_.advance(milliseconds(50));
  const MapPtr map = one.holder.get();
  EXPECT_EQ(map->partition_count(), 16U);
  EXPECT_EQ(map->preferred_layout()->data_count(), 2U);
  EXPECT_NE(map->choose_group(0, {}), nullptr);
  EXPECT_EQ(map->record().keys_size(), 0) << "blades get no keys";
}

TEST_F(ManagerTest, DeclaresASilentBladeDeadAndTakesItBackWithNewTerms) {
  blade(1);
  Peer& two = blade(2);
  blade(3);
  clock_.advance(seconds(1));
  const MapPtr before = two.holder.get();
  kill("blade-1");
  clock_.advance(milliseconds(10));
  EXPECT_EQ(state(1), proto::BLADE_DEAD) << "its connection broke";
  EXPECT_EQ(state(1), proto::BLADE_DEAD);
  EXPECT_FALSE(two.holder.get()->alive(BladeId(1))) << "pushed by the long poll";
  EXPECT_EQ(two.holder.get()->alive_count(), 2U);
  Peer& again = peer("blade-1");
  auto reply = clock_.run(again.client->register_blade(blade_request(1, 1, array_id())));
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  again.client->start();
  clock_.advance(milliseconds(20));
  const MapPtr after = two.holder.get();
  EXPECT_TRUE(after->alive(BladeId(1)));
  EXPECT_GT(after->blade(BladeId(1))->session(), before->blade(BladeId(1))->session());
  for (int p = 0; p < 16; ++p) {
    const auto& was = before->record().partitions(p);
    EXPECT_EQ(after->record().partitions(p).term(), was.term() + (was.primary() == 1 ? 1 : 0));
  }
  clock_.advance(seconds(3));
  EXPECT_EQ(state(1), proto::BLADE_HEALTHY);
}

TEST_F(ManagerTest, TakesALeavingBladeOutAtOnce) {
  blade(1);
  blade(2);
  blade(3);
  EXPECT_TRUE(clock_.run(peers_["blade-2"].client->stop()).ok());
  EXPECT_EQ(state(2), proto::BLADE_DEAD);
  clock_.advance(seconds(2));
  EXPECT_EQ(manager_->map()->alive_count(), 2U);
}

TEST_F(ManagerTest, FencesABladeThatWasCutOffAndRegistersItAgain) {
  Peer& one = blade(1);
  blade(2);
  blade(3);
  const uint64_t session = one.client->session();
  uint64_t announced = 0;
  one.client->on_new_session([&](uint64_t fresh) { announced = fresh; });
  network_.isolate("blade-1");
  clock_.advance(seconds(3));
  EXPECT_EQ(state(1), proto::BLADE_DEAD);
  network_.heal();
  clock_.advance(seconds(3));
  EXPECT_EQ(state(1), proto::BLADE_HEALTHY);
  EXPECT_GT(announced, session);
  EXPECT_EQ(one.client->session(), announced);
}

TEST_F(ManagerTest, SurvivesARestartWithTheSameArrayAndFreshSessions) {
  Peer& one = blade(1);
  blade(2);
  blade(3);
  Peer& gate = gateway();
  const std::string id = array_id();
  const uint64_t epoch = manager_->map()->record().epoch();
  const uint64_t last_session = gate.client->session();
  stop_manager();
  clock_.advance(seconds(10));
  EXPECT_EQ(one.holder.get()->alive_count(), 3U) << "the last map stays in use";
  start_manager();
  clock_.advance(seconds(3));
  EXPECT_EQ(array_id(), id);
  EXPECT_EQ(manager_->map()->record().epoch(), epoch) << "nobody was declared dead";
  Peer& other = peer("gateway-2");
  EXPECT_TRUE(clock_.run(other.client->register_gateway({})).ok());
  EXPECT_GT(other.client->session(), last_session);
}

TEST_F(ManagerTest, KnowsItsGatewaysAgainAfterARestart) {
  gateway();
  stop_manager();
  start_manager();
  EXPECT_TRUE(manager_->gateway_notes().empty());
  clock_.advance(seconds(2));
  const std::vector<GatewayNote> notes = manager_->gateway_notes();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].name, "gateway-1");
  EXPECT_EQ(notes[0].address, "mem:gateway-1");
}

TEST_F(ManagerTest, RefusesWrongArraysAndWrongDevices) {
  blade(1);
  blade(2);
  blade(3);
  Peer& stranger = peer("stranger");
  const auto ask = [&](proto::RegisterBladeRequest request) {
    return clock_.run(stranger.client->register_blade(std::move(request)));
  };
  auto wrong_array = ask(blade_request(9, 1, "other array"));
  EXPECT_TRUE(wrong_array.failed_with(Errc::denied));
  EXPECT_NE(wrong_array.error().context.find("other array"), std::string::npos);
  auto blank = ask(blade_request(9, 2));
  EXPECT_TRUE(blank.failed_with(Errc::denied));
  EXPECT_NE(blank.error().context.find("blank"), std::string::npos);
  EXPECT_TRUE(ask(blade_request(9, 2, array_id())).failed_with(Errc::denied));
  EXPECT_TRUE(ask(blade_request(9, 7, array_id())).failed_with(Errc::denied));
  auto retried = ask(blade_request(3));
  ASSERT_TRUE(retried.ok()) << "it crashed before it had noted its id";
  EXPECT_EQ(retried->blade_id(), 3U);
}

TEST_F(ManagerTest, ShowsFullAndSuspectBlades) {
  Peer& one = blade(1);
  blade(2);
  Peer& three = blade(3);
  three.report.set_capacity_bytes(100);
  three.report.set_used_bytes(70);
  one.report.set_full(true);
  one.report.set_suspect(true);
  one.report.set_trouble("journal damage");
  clock_.advance(seconds(1));
  EXPECT_EQ(state(1), proto::BLADE_SUSPECT);
  EXPECT_TRUE(three.holder.get()->blade(BladeId(1))->full());
  EXPECT_EQ(manager_->map_with_usage()->blade(BladeId(3))->used_bytes(), 70U);
  EXPECT_EQ(manager_->blade_notes().size(), 3U);
  one.report.set_full(false);
  clock_.advance(seconds(1));
  EXPECT_FALSE(three.holder.get()->blade(BladeId(1))->full());
}

TEST_F(ManagerTest, CarriesUsersAndKeysToGatewaysAtOnce) {
  Peer& gate = gateway();
  ASSERT_EQ(gate.holder.get()->record().keys_size(), 1);
  const proto::AccessKey root = gate.holder.get()->record().keys(0);
  EXPECT_EQ(root.access_key().size(), 20U);
  EXPECT_EQ(root.secret_key().size(), 40U);
  EXPECT_TRUE(gate.holder.get()->user(root.user_id())->root());
  EXPECT_TRUE(clock_.run(manager_->delete_user("root")).failed_with(Errc::denied));

  ASSERT_TRUE(clock_.run(manager_->create_user("anna")).ok());
  EXPECT_TRUE(clock_.run(manager_->create_user("anna")).failed_with(Errc::exists));
  EXPECT_TRUE(clock_.run(manager_->create_user("an na")).failed_with(Errc::invalid));
  EXPECT_TRUE(clock_.run(manager_->create_key("otto")).failed_with(Errc::not_found));
  const auto key = clock_.run(manager_->create_key("anna")).value();
  const auto second = clock_.run(manager_->create_key("anna")).value();
  clock_.advance(milliseconds(20));
  ASSERT_NE(gate.holder.get()->access_key(key.access_key()), nullptr);
  EXPECT_EQ(gate.holder.get()->access_key(key.access_key())->secret_key(), key.secret_key());
  ASSERT_TRUE(clock_.run(manager_->delete_key(key.access_key())).ok());
  EXPECT_TRUE(clock_.run(manager_->delete_key(key.access_key())).failed_with(Errc::not_found));
  clock_.advance(milliseconds(20));
  EXPECT_EQ(gate.holder.get()->access_key(key.access_key()), nullptr);
  ASSERT_TRUE(clock_.run(manager_->delete_user("anna")).ok());
  clock_.advance(milliseconds(20));
  EXPECT_EQ(gate.holder.get()->access_key(second.access_key()), nullptr);
  EXPECT_EQ(gate.holder.get()->record().users_size(), 1);
}

TEST_F(ManagerTest, SaysUnavailableAndChangesNothingWhenTheStoreIsAway) {
  blade(1);
  store_.fail_transactions(true);
  EXPECT_TRUE(clock_.run(manager_->create_user("anna")).failed_with(Errc::unavailable));
  EXPECT_EQ(manager_->map()->record().users_size(), 1);
  store_.fail_transactions(false);
  EXPECT_TRUE(clock_.run(manager_->create_user("anna")).ok());
}

}  // namespace
}  // namespace turbine::cluster
