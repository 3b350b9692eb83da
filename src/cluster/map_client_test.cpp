#include "cluster/map_client.hpp"

#include <gtest/gtest.h>

#include "io/sim_clock.hpp"
#include "proto/rpc.pb.h"
#include "rpc/mem_transport.hpp"

namespace turbine::cluster {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ManagerAddresses, AreSplitWhereAnotherBegins) {
  using List = std::vector<rpc::Address>;
  EXPECT_EQ(manager_addresses("tcp:a:7000"), (List{"tcp:a:7000"}));
  EXPECT_EQ(manager_addresses("tcp:a:1,tcp:[::1]:2,unix:/x,mem:y"),
            (List{"tcp:a:1", "tcp:[::1]:2", "unix:/x", "mem:y"}));
  EXPECT_EQ(manager_addresses("unix:/a,b/c.sock"), (List{"unix:/a,b/c.sock"}));
  EXPECT_EQ(manager_addresses("unix:/a,b,unix:/c,"), (List{"unix:/a,b", "unix:/c,"}));
}

/// Two managers of which at most one leads, and a gateway that knows both.
class SeveralManagersTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string name : {"one", "two"}) {
      transports_[name] = network_.attach(name);
      listeners_[name] = transports_[name]
                             ->listen("mem:" + name,
                                      [this, name](rpc::Request request) {
                                        return answer(name, std::move(request));
                                      })
                             .value();
    }
    transport_ = network_.attach("gateway");
    client_ = std::make_unique<MapClient>(*transport_, clock_, holder_,
                                          MapClientOptions{.manager = "mem:one,mem:two"});
  }
  void TearDown() override {
    EXPECT_TRUE(clock_.run(client_->stop()).ok());
    for (auto& [name, listener] : listeners_) EXPECT_TRUE(clock_.run(listener->stop()).ok());
    for (auto& [name, transport] : transports_) EXPECT_TRUE(clock_.run(transport->stop()).ok());
    EXPECT_TRUE(clock_.run(transport_->stop()).ok());
  }
  Task<rpc::Reply> answer(std::string name, rpc::Request request) {
    if (leader_ != name) co_return fail(Errc::unavailable, "{} leads", leader_);
    ++answered_[name];
    rpc::Reply reply;
    if (request.type == proto::REGISTER_GATEWAY) {
      proto::RegisterGatewayReply body;
      body.set_session(7);
      reply.body = body.SerializeAsString();
    } else if (request.type == proto::GET_MAP) {
      CO_TRY(co_await clock_.sleep_for(milliseconds(200)));
      proto::GetMapReply body;
      body.mutable_map()->set_epoch(++epoch_);
      reply.body = body.SerializeAsString();
    }
    co_return reply;
  }

  io::SimClock clock_;
  rpc::MemNetwork network_{clock_, Rng(5)};
  std::map<std::string, std::unique_ptr<rpc::Transport>> transports_;
  std::map<std::string, std::unique_ptr<rpc::Listener>> listeners_;
  std::unique_ptr<rpc::Transport> transport_;
  MapHolder holder_;
  std::unique_ptr<MapClient> client_;
  std::string leader_ = "two";
  std::map<std::string, int> answered_;
  uint64_t epoch_ = 0;
};

TEST_F(SeveralManagersTest, AsksTheOneThatLeadsAndFollowsWhenAnotherDoes) {
  const auto reply = clock_.run(client_->register_gateway({}));
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  EXPECT_EQ(answered_["two"], 1);
  client_->start();
  clock_.advance(seconds(2));
  EXPECT_GT(answered_["two"], 10);
  leader_ = "nobody";
  clock_.advance(seconds(2));
  const uint64_t epoch = epoch_;
  EXPECT_EQ(holder_.get()->record().epoch(), epoch) << "the last map stays in use";
  leader_ = "one";
  clock_.advance(seconds(1));
  EXPECT_GT(answered_["one"], 4);
  EXPECT_GT(holder_.get()->record().epoch(), epoch);
}

TEST_F(SeveralManagersTest, LeavesAManagerThatIsSilent) {
  ASSERT_TRUE(clock_.run(client_->register_gateway({})).ok());
  client_->start();
  clock_.advance(seconds(1));
  network_.isolate("two");
  leader_ = "one";
  clock_.advance(seconds(3));
  EXPECT_GT(answered_["one"], 4);
}

}  // namespace
}  // namespace turbine::cluster
