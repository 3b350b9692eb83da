// What NFS signs with, and export policies, on their way to gateways.
#include "cluster/array_records.hpp"
#include "cluster/export_rules.hpp"
#include "cluster/manager_fixture.hpp"

namespace turbine::cluster {
namespace {

using std::chrono::milliseconds;

class ManagerExports : public ManagerTest {
 protected:
  static proto::NfsExportPolicy policy(const std::string& name, std::string_view rules) {
    proto::NfsExportPolicy out;
    out.set_name(name);
    for (auto& rule : parse_export_rules(rules).value()) *out.add_rules() = rule;
    return out;
  }
  proto::NfsSettings settings() { return manager_->map()->record().nfs(); }
  void restart() {
    stop_manager();
    start_manager();
  }
};

TEST_F(ManagerExports, ANewArrayHasAKeyAndExportsToLoopbackOnly) {
  const proto::NfsSettings made = settings();
  ASSERT_EQ(made.handle_keys_size(), 1);
  EXPECT_EQ(made.handle_keys(0).size(), 16U);
  EXPECT_NE(made.write_verifier(), 0U);
  for (const char* path : {"/", "/photos"}) {
    const proto::NfsExportPolicy* deciding = policy_of(made, path);
    ASSERT_NE(deciding, nullptr) << path;
    EXPECT_TRUE(deciding_rule(*deciding, boost::asio::ip::make_address("127.0.0.1"))) << path;
    EXPECT_FALSE(deciding_rule(*deciding, boost::asio::ip::make_address("10.0.0.1"))) << path;
  }
  restart();
  EXPECT_EQ(settings().SerializeAsString(), made.SerializeAsString());
}

TEST_F(ManagerExports, AnArrayFromBeforeNfsGetsAKeyOnce) {
  const auto record = clock_.run(store_.get(kMapKey)).value();
  proto::ClusterMap map;
  ASSERT_TRUE(map.ParseFromString(record->value));
  map.clear_nfs();
  ASSERT_TRUE(
      clock_.run(store_.txn({{kMapKey, record->revision}}, {{kMapKey, map.SerializeAsString()}}))
          .ok());
  restart();
  const proto::NfsSettings made = settings();
  EXPECT_EQ(made.handle_keys_size(), 1);
  EXPECT_GT(manager_->map()->record().epoch(), map.epoch());
  restart();
  EXPECT_EQ(settings().SerializeAsString(), made.SerializeAsString());
}

TEST_F(ManagerExports, PoliciesReachGatewaysAtOnceAndBladesNever) {
  Peer& gate = gateway();
  Peer& one = blade(1);
  const auto rules = "10.0.0.0/8(rw) *(ro,all_squash)";
  ASSERT_TRUE(clock_.run(manager_->set_export_policy(policy("/photos", rules))).ok());
  clock_.advance(milliseconds(20));
  const proto::NfsSettings& there = gate.holder.get()->record().nfs();
  EXPECT_EQ(there.SerializeAsString(), settings().SerializeAsString());
  ASSERT_NE(policy_of(there, "/photos"), nullptr);
  EXPECT_EQ(policy_of(there, "/photos")->rules_size(), 2);
  EXPECT_FALSE(one.holder.get()->record().has_nfs()) << "blades sign nothing";

  ASSERT_TRUE(clock_.run(manager_->set_export_policy(policy("/photos", ""))).ok());
  clock_.advance(milliseconds(20));
  EXPECT_EQ(policy_of(gate.holder.get()->record().nfs(), "/photos")->rules_size(), 0);
  ASSERT_TRUE(clock_.run(manager_->delete_export_policy("/photos")).ok());
  clock_.advance(milliseconds(20));
  EXPECT_EQ(policy_of(gate.holder.get()->record().nfs(), "/photos")->name(), "*");
}

TEST_F(ManagerExports, RefusesWhatIsNoPolicy) {
  EXPECT_TRUE(
      clock_.run(manager_->set_export_policy(policy("photos", "*"))).failed_with(Errc::invalid));
  EXPECT_TRUE(clock_.run(manager_->delete_export_policy("/photos")).failed_with(Errc::not_found));
}

TEST_F(ManagerExports, KnowsWhereGatewaysServeNfs) {
  Peer& made = peer("gateway-1");
  proto::RegisterGatewayRequest request;
  request.set_name("gateway-1");
  request.set_nfs_address("10.0.0.1:2049");
  ASSERT_TRUE(clock_.run(made.client->register_gateway(std::move(request))).ok());
  made.client->start();
  ASSERT_EQ(manager_->gateway_notes().size(), 1U);
  EXPECT_EQ(manager_->gateway_notes()[0].nfs_address, "10.0.0.1:2049");
  restart();
  clock_.advance(milliseconds(600));
  ASSERT_EQ(manager_->gateway_notes().size(), 1U) << "told again by the heartbeat";
  EXPECT_EQ(manager_->gateway_notes()[0].nfs_address, "10.0.0.1:2049");
}

}  // namespace
}  // namespace turbine::cluster
