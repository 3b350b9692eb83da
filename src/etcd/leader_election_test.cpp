#include "etcd/leader_election.hpp"

#include <gtest/gtest.h>

#include "cluster/fenced_store.hpp"
#include "io/reactor.hpp"
#include "support/etcd_server.hpp"
#include "support/wait_for.hpp"

namespace turbine::etcd {
namespace {

using std::chrono::seconds;
using support::EtcdServer;
using support::wait_for;

/// One manager's part in it.
struct Candidate {
  std::unique_ptr<EtcdStore> store;
  std::unique_ptr<LeaderElection> election;
  uint64_t leads_since = 0;  // revision of its record; 0: leads not
  int won = 0;
};

class LeaderElectionTest : public testing::Test {
 protected:
  void TearDown() override {
    for (auto& [name, one] : candidates_) stop(one);
  }
  Candidate& candidate(const std::string& name, const std::string& url) {
    Candidate& made = candidates_[name];
    EtcdOptions options;
    options.endpoints = parse_endpoints(url).value();
    options.prefix = "/turbine/test/";
    made.store = EtcdStore::make(reactor_.clock(), options).value();
    EXPECT_TRUE(reactor_.run(made.store->start()).ok());
    made.election = std::make_unique<LeaderElection>(*made.store, reactor_.clock(),
                                                     ElectionOptions{.name = name});
    made.election->start(
        [&made](uint64_t revision) {
          made.leads_since = revision;
          ++made.won;
        },
        [&made] { made.leads_since = 0; });
    return made;
  }
  void stop(Candidate& one) {
    if (one.election) EXPECT_TRUE(reactor_.run(one.election->stop()).ok());
    if (one.store) EXPECT_TRUE(reactor_.run(one.store->stop()).ok());
    one.election.reset();
    one.store.reset();
    one.leads_since = 0;
  }

  io::Reactor reactor_;
  EtcdServer server_;
  std::map<std::string, Candidate> candidates_;
};

TEST_F(LeaderElectionTest, OneLeadsTheOthersKnowItAndTakeOverAtOnceWhenItStops) {
  Candidate& one = candidate("one", server_.url());
  ASSERT_TRUE(wait_for(reactor_, [&] { return one.leads_since != 0; }));
  Candidate& two = candidate("two", server_.url());
  Candidate& three = candidate("three", server_.url());
  ASSERT_TRUE(wait_for(reactor_, [&] {
    return two.election->leader() == "one" && three.election->leader() == "one";
  }));
  EXPECT_EQ(two.won + three.won, 0);
  const TimePoint begin = reactor_.clock().now();
  stop(one);
  ASSERT_TRUE(wait_for(reactor_, [&] { return two.leads_since != 0 || three.leads_since != 0; }));
  EXPECT_LT(reactor_.clock().now() - begin, seconds(2)) << "it did not wait for the lease to end";
  EXPECT_EQ(two.won + three.won, 1);
}

TEST_F(LeaderElectionTest, LeadsOnOverManyRenewals) {
  Candidate& one = candidate("one", server_.url());
  Candidate& two = candidate("two", server_.url());
  ASSERT_TRUE(wait_for(reactor_, [&] { return one.leads_since + two.leads_since != 0; }));
  const TimePoint begin = reactor_.clock().now();
  ASSERT_TRUE(wait_for(reactor_, [&] { return reactor_.clock().now() - begin > seconds(7); }));
  EXPECT_EQ(one.won + two.won, 1);
}

TEST_F(LeaderElectionTest, TakesOverWhenTheRecordIsGoneAndTheFormerLeadersWritesAreRefused) {
  Candidate& one = candidate("one", server_.url());
  ASSERT_TRUE(wait_for(reactor_, [&] { return one.leads_since != 0; }));
  cluster::FencedStore fenced(*one.store, "leader", one.leads_since, [] {});
  ASSERT_TRUE(reactor_.run(fenced.txn({{"map", 0}}, {{"map", "1"}})).ok());
  Candidate& two = candidate("two", server_.url());
  // As a lease that has ended would: the record goes, and the first has not noticed.
  const TimePoint begin = reactor_.clock().now();
  ASSERT_TRUE(reactor_.run(two.store->txn({}, {{"leader", std::nullopt}})).ok());
  ASSERT_TRUE(wait_for(reactor_, [&] { return two.leads_since != 0; }));
  EXPECT_LT(reactor_.clock().now() - begin, seconds(5));
  EXPECT_TRUE(reactor_.run(fenced.txn({}, {{"map", "2"}})).failed_with(Errc::unavailable));
  EXPECT_EQ(reactor_.run(one.store->get("map")).value()->value, "1");
  one.election->step_down();
  ASSERT_TRUE(wait_for(reactor_, [&] { return one.election->leader() == "two"; }));
  EXPECT_EQ(one.leads_since, 0U);
}

TEST_F(LeaderElectionTest, LeadsNoLongerThanItsLeaseWhileEtcdIsAwayAndAgainAfterwards) {
  Candidate& one = candidate("one", server_.url());
  ASSERT_TRUE(wait_for(reactor_, [&] { return one.leads_since != 0; }));
  server_.kill();
  const TimePoint begin = reactor_.clock().now();
  ASSERT_TRUE(wait_for(reactor_, [&] { return one.leads_since == 0; }));
  EXPECT_LT(reactor_.clock().now() - begin, seconds(4));
  EXPECT_EQ(one.election->leader(), "");
  server_.start();
  ASSERT_TRUE(wait_for(reactor_, [&] { return one.leads_since != 0; }))
      << "once the old lease has ended";
  EXPECT_EQ(one.won, 2);
}

}  // namespace
}  // namespace turbine::etcd
