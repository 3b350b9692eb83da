#include "rpc/mem_transport.hpp"

#include <gtest/gtest.h>

#include "io/sim_clock.hpp"

namespace turbine::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Net {
  explicit Net(uint64_t seed = 1) : network(clock, Rng(seed)) {
    listener = server
                   ->listen("mem:server",
                            [this](Request request) { return serve(*this, std::move(request)); })
                   .value();
  }
  ~Net() { EXPECT_TRUE(clock.run(listener->stop()).ok()); }
  static Task<Reply> serve(Net& net, Request request) {
    net.seen.push_back(request.body);
    co_return Reply{request.body, {}};
  }
  Result<Reply> call(std::string body) {
    Request request;
    request.body = std::move(body);
    return clock.run(
        client->channel("mem:server")->call(std::move(request), clock.now() + seconds(1)));
  }
  void call_many(int count) {
    for (int i = 0; i < count; ++i) {
      Request request;
      request.body = std::to_string(i);
      asio::co_spawn(
          clock.executor(),
          client->channel("mem:server")->call(std::move(request), clock.now() + seconds(1)),
          [this](std::exception_ptr, Result<Reply> reply) { ++(reply.ok() ? answered : failed); });
    }
    clock.advance(seconds(2));
  }

  io::SimClock clock;
  MemNetwork network;
  std::unique_ptr<Transport> server = network.attach("server");
  std::unique_ptr<Transport> client = network.attach("client");
  std::unique_ptr<Listener> listener;
  std::vector<std::string> seen;
  int answered = 0, failed = 0;
};

TEST(MemNetwork, LosesDuplicatesDelaysAndReorders) {
  Net net;
  net.network.set_faults({.delay_min = milliseconds(1),
                          .delay_max = milliseconds(20),
                          .loss_per_million = 100'000,
                          .duplicate_per_million = 100'000});
  net.call_many(400);
  const NetworkCounters& counters = net.network.counters();
  EXPECT_GT(counters.lost, 20U);
  EXPECT_GT(counters.duplicated, 20U);
  EXPECT_GT(counters.reordered, 50U);
  EXPECT_GT(counters.delayed, 100U);
  EXPECT_EQ(net.answered + net.failed, 400);
  EXPECT_GT(net.failed, 20);
  EXPECT_LT(net.failed, 150);
}

TEST(MemNetwork, RepeatsItselfFromTheSameSeed) {
  const auto run = [](uint64_t seed) {
    Net net(seed);
    net.network.set_faults({.delay_max = milliseconds(20), .loss_per_million = 100'000});
    net.call_many(100);
    return net.seen;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(MemNetwork, CutsOneDirectionOnly) {
  Net net;
  net.network.cut("server", "client");
  EXPECT_TRUE(net.call("a").failed_with(Errc::timeout));
  EXPECT_EQ(net.seen.size(), 1U) << "the request arrived";
  net.network.heal();
  EXPECT_TRUE(net.call("b").ok());
  net.network.cut("client", "server");
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(net.call("c").ok());
  EXPECT_EQ(net.seen.size(), 2U);
}

TEST(MemNetwork, HoldsMessagesOfAPausedNode) {
  Net net;
  net.network.pause("server");
  EXPECT_TRUE(net.call("late").failed_with(Errc::timeout));
  EXPECT_TRUE(net.seen.empty());
  net.network.resume("server");
  net.clock.advance(milliseconds(1));
  EXPECT_EQ(net.seen, (std::vector<std::string>{"late"}));
}

TEST(MemNetwork, LetsNothingOutOfAKilledNode) {
  Net net;
  net.network.kill("client");
  EXPECT_TRUE(net.call("dead").failed_with(Errc::closed));
  EXPECT_TRUE(net.seen.empty());
  net.client = net.network.attach("client");
  EXPECT_TRUE(net.call("alive").ok());
  net.network.kill("server");
  EXPECT_TRUE(net.call("gone").failed_with(Errc::unavailable));
}

}  // namespace
}  // namespace turbine::rpc
