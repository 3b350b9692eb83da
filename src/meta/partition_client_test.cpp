#include "meta/partition_client.hpp"

#include <gtest/gtest.h>

#include "proto/meta.pb.h"
#include "proto/rpc.pb.h"
#include "support/virtual_time.hpp"

namespace turbine::meta {
namespace {

using std::chrono::milliseconds;
using Answer = std::function<Task<rpc::Reply>(rpc::Request, TimePoint)>;

class FakeTransport final : public rpc::Transport {
 public:
  std::shared_ptr<rpc::Channel> channel(const rpc::Address& address) override {
    ++channels_made;
    return std::make_shared<FakeChannel>(*this, address);
  }
  Result<std::unique_ptr<rpc::Listener>> listen(const rpc::Address&, rpc::Handler) override {
    return fail(Errc::unsupported, "fake");
  }
  Task<> stop() override { co_return Result<>{}; }

  struct Sent {
    rpc::Address address;
    rpc::Request request;
    TimePoint deadline;
  };
  std::vector<Sent> sent;
  std::map<rpc::Address, Answer> answers;
  int channels_made = 0;

 private:
  class FakeChannel final : public rpc::Channel {
   public:
    FakeChannel(FakeTransport& owner, rpc::Address address)
        : owner_(owner), address_(std::move(address)) {}
    Task<rpc::Reply> call(rpc::Request request, TimePoint deadline) override {
      owner_.sent.push_back({address_, request, deadline});
      return owner_.answers.at(address_)(std::move(request), deadline);
    }
    const rpc::Address& address() const override { return address_; }

   private:
    FakeTransport& owner_;
    rpc::Address address_;
  };
};

Task<rpc::Reply> good_answer() {
  proto::DeleteFileReply body;
  body.set_existed(true);
  co_return rpc::Reply{body.SerializeAsString(), Buffer::copy_of("payload")};
}
Task<rpc::Reply> bad_answer(Errc code) {
  co_return fail(code, "fake");
}
Task<rpc::Reply> hang(Clock& clock, TimePoint deadline) {
  CO_TRY(co_await clock.sleep_until(deadline));
  co_return fail(Errc::timeout, "hung");
}

struct Fixture : testing::Test {
  test::VirtualTime time;
  FakeTransport transport;
  cluster::MapHolder map;
  PartitionClient client{time, transport, map};
  RequestId id{SessionId(7), 42};

  // Partition 0 on blade `primary` out of blades 1 and 2.
  proto::ClusterMap record(uint64_t epoch, uint32_t primary, proto::BladeState first) {
    proto::ClusterMap record;
    record.set_epoch(epoch);
    for (uint32_t blade : {1U, 2U}) {
      auto& added = *record.add_blades();
      added.set_id(blade);
      added.set_state(blade == 1 ? first : proto::BLADE_HEALTHY);
      added.set_address(fmt::format("mem:{}", blade));
    }
    record.add_partitions()->set_primary(primary);
    return record;
  }
  void answer(uint32_t blade, std::function<Task<rpc::Reply>()> with) {
    transport.answers[fmt::format("mem:{}", blade)] = [with](const rpc::Request&, TimePoint) {
      return with();
    };
  }
  Result<rpc::With<proto::DeleteFileReply>> call(TimePoint received) {
    proto::DeleteFileRequest body;
    body.set_name("x");
    return time.run(client.call<proto::DeleteFileReply>(PartitionId(0), proto::DELETE_FILE, body,
                                                        Buffer::copy_of("in"), id, received));
  }
};
using PartitionClientTest = Fixture;

TEST_F(PartitionClientTest, SendsToThePrimaryWithAgeEpochAndId) {
  map.update(record(5, 2, proto::BLADE_HEALTHY));
  answer(2, good_answer);
  auto reply = call(time.now() - milliseconds(30));
  ASSERT_TRUE(reply.ok());
  EXPECT_TRUE(reply->body.existed());
  EXPECT_EQ(reply->payload.text(), "payload");
  ASSERT_EQ(transport.sent.size(), 1U);
  const auto& sent = transport.sent[0];
  EXPECT_EQ(sent.address, "mem:2");
  EXPECT_EQ(sent.request.age_ms, 30U);
  EXPECT_EQ(sent.request.epoch, Epoch(5));
  EXPECT_EQ(sent.request.id, id);
  EXPECT_EQ(sent.request.payload.text(), "in");
}

TEST_F(PartitionClientTest, FollowsTheMapAfterWrongPrimaryUnderTheSameId) {
  map.update(record(5, 1, proto::BLADE_HEALTHY));
  answer(1, [&] {
    time.call_at(time.now() + milliseconds(3),
                 [&] { map.update(record(6, 2, proto::BLADE_HEALTHY)); });
    return bad_answer(Errc::wrong_primary);
  });
  answer(2, good_answer);
  const TimePoint start = time.now();
  ASSERT_TRUE(call(start).ok());
  ASSERT_EQ(transport.sent.size(), 2U);
  EXPECT_EQ(transport.sent[1].address, "mem:2");
  EXPECT_EQ(transport.sent[1].request.id, id);
  EXPECT_EQ(transport.sent[1].request.age_ms, 3U);
  EXPECT_EQ(time.now() - start, milliseconds(3));  // woken by the map, not by the back-off
}

TEST_F(PartitionClientTest, GivesUpOnAnUnreachableBladeWithinItsBudget) {
  map.update(record(5, 1, proto::BLADE_HEALTHY));
  answer(1, [] { return bad_answer(Errc::unavailable); });
  const TimePoint start = time.now();
  EXPECT_TRUE(call(start).failed_with(Errc::unavailable));
  EXPECT_LE(time.now() - start, milliseconds(1500));
  EXPECT_GE(transport.sent.size(), 5U);
  EXPECT_LE(transport.sent.size(), 30U);
  EXPECT_EQ(transport.channels_made, 1);
}

// A PUT named the budget of a partition without replicas and failed after 1.5 s.
TEST_F(PartitionClientTest, GivesAReplicatedPartitionTimeForAFailOver) {
  map.update(record(5, 1, proto::BLADE_HEALTHY));
  EXPECT_EQ(client.budget(PartitionId(0)), PartitionClientOptions{}.budget);
  proto::ClusterMap replicated = record(6, 1, proto::BLADE_HEALTHY);
  replicated.mutable_partitions(0)->add_replicas(1);
  replicated.mutable_partitions(0)->add_wanted(1);
  replicated.mutable_partitions(0)->add_wanted(2);
  map.update(replicated);
  EXPECT_EQ(client.budget(PartitionId(0)), PartitionClientOptions{}.fail_over_budget);
  answer(1, [] { return bad_answer(Errc::unavailable); });
  const TimePoint start = time.now();
  EXPECT_TRUE(call(start).failed_with(Errc::unavailable));
  EXPECT_EQ(time.now() - start, PartitionClientOptions{}.fail_over_budget);
}

TEST_F(PartitionClientTest, FailsSoonWhenTheMapSaysDead) {
  map.update(record(5, 1, proto::BLADE_DEAD));
  const TimePoint start = time.now();
  EXPECT_TRUE(call(start).failed_with(Errc::unavailable));
  EXPECT_LE(time.now() - start, milliseconds(300));
  EXPECT_TRUE(transport.sent.empty());
}

TEST_F(PartitionClientTest, GoesOnWhenTheDeadBladeComesBackInTime) {
  map.update(record(5, 1, proto::BLADE_DEAD));
  answer(1, good_answer);
  time.call_at(time.now() + milliseconds(100),
               [&] { map.update(record(6, 1, proto::BLADE_HEALTHY)); });
  EXPECT_TRUE(call(time.now()).ok());
}

TEST_F(PartitionClientTest, SaysTimeoutWhenAMutationMayHaveRun) {
  map.update(record(5, 1, proto::BLADE_HEALTHY));
  transport.answers["mem:1"] = [&](const rpc::Request&, TimePoint deadline) {
    if (transport.sent.size() == 1) return hang(time, deadline);
    return bad_answer(Errc::unavailable);
  };
  const TimePoint start = time.now();
  EXPECT_TRUE(call(start).failed_with(Errc::timeout));
  EXPECT_LE(time.now() - start, milliseconds(1500));
  for (const auto& sent : transport.sent) EXPECT_EQ(sent.request.id, id);
}

TEST_F(PartitionClientTest, SaysTimeoutWhenARefusalFollowsATryThatMayStillRun) {
  map.update(record(5, 1, proto::BLADE_HEALTHY));
  transport.answers["mem:1"] = [&](const rpc::Request&, TimePoint deadline) {
    if (transport.sent.size() == 1) return hang(time, deadline);
    return bad_answer(Errc::stale);
  };
  EXPECT_TRUE(call(time.now()).failed_with(Errc::timeout));
  EXPECT_EQ(transport.sent.size(), 2U);
}

// A failed condition was answered with 503 when it took two tries.
TEST_F(PartitionClientTest, PassesOnARefusalThatThePrimaryRemembers) {
  map.update(record(5, 1, proto::BLADE_HEALTHY));
  transport.answers["mem:1"] = [&](const rpc::Request&, TimePoint deadline) {
    if (transport.sent.size() == 1) return hang(time, deadline);
    return bad_answer(Errc::precondition_failed);
  };
  EXPECT_TRUE(call(time.now()).failed_with(Errc::precondition_failed));
  EXPECT_EQ(transport.sent.size(), 2U);
}

// A PUT ended with 503 in a fail-over when its directory had been removed meanwhile.
TEST_F(PartitionClientTest, PassesOnARefusalOnceAnotherBladeLeads) {
  map.update(record(5, 1, proto::BLADE_HEALTHY));
  transport.answers["mem:1"] = [&](const rpc::Request&, TimePoint deadline) {
    map.update(record(6, 2, proto::BLADE_HEALTHY));
    return hang(time, deadline);
  };
  answer(2, [] { return bad_answer(Errc::stale); });
  EXPECT_TRUE(call(time.now()).failed_with(Errc::stale));
  EXPECT_EQ(transport.sent.size(), 2U);
}

TEST_F(PartitionClientTest, SaysTimeoutWhenTheRefusingBladeWasAskedBeforeTheOther) {
  map.update(record(5, 1, proto::BLADE_HEALTHY));
  transport.answers["mem:1"] = [&](const rpc::Request&, TimePoint deadline) {
    if (transport.sent.size() > 1) return bad_answer(Errc::stale);
    map.update(record(6, 2, proto::BLADE_HEALTHY));
    return hang(time, deadline);
  };
  answer(2, [&] {
    map.update(record(7, 1, proto::BLADE_HEALTHY));
    return bad_answer(Errc::wrong_primary);
  });
  EXPECT_TRUE(call(time.now()).failed_with(Errc::timeout));
  EXPECT_EQ(transport.sent.size(), 3U);
}

TEST_F(PartitionClientTest, LeavesStaleStripesToTheCaller) {
  map.update(record(5, 1, proto::BLADE_HEALTHY));
  answer(1, [] { return bad_answer(Errc::stale_epoch); });
  EXPECT_TRUE(call(time.now()).failed_with(Errc::stale_epoch));
  EXPECT_EQ(transport.sent.size(), 1U);
}

TEST_F(PartitionClientTest, NeverSendsWhatIsTooOld) {
  map.update(record(5, 1, proto::BLADE_HEALTHY));
  answer(1, good_answer);
  EXPECT_FALSE(call(time.now() - kRequestAgeMax).ok());
  EXPECT_TRUE(transport.sent.empty());
}

TEST_F(PartitionClientTest, PassesThePartitionsAnswerOn) {
  map.update(record(5, 1, proto::BLADE_HEALTHY));
  answer(1, [] { return bad_answer(Errc::precondition_failed); });
  EXPECT_TRUE(call(time.now()).failed_with(Errc::precondition_failed));
  EXPECT_EQ(transport.sent.size(), 1U);
}

}  // namespace
}  // namespace turbine::meta
