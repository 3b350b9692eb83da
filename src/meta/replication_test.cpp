// Partitions with three replicas: what their operations survive.
#include <gtest/gtest.h>

#include "meta/test_array.hpp"

namespace turbine::meta {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint32_t kBlades = 4;
constexpr uint32_t kPartitions = 4;

struct Fixture {
  Fixture() { EXPECT_TRUE(wait_served()); }
  bool wait_served() {
    return array.clock.run_until(
        [&] {
          for (uint32_t i = 0; i < kPartitions; ++i) {
            if (array.served(PartitionId(i)) == nullptr) return false;
          }
          return true;
        },
        seconds(20));
  }
  /// Its power is off, and the manager hears of it.
  void lose(TestArray::Blade& blade) {
    array.crash(blade);
    array.set_alive(blade, false);
  }
  void bring_back(TestArray::Blade& blade) {
    array.start(blade);
    array.set_alive(blade, true);
  }
  bool whole() {
    return array.clock.run_until(
        [&] {
          for (const auto& partition : array.map.record().partitions()) {
            if (partition.replicas_size() != 3) return false;
          }
          return true;
        },
        seconds(60));
  }
  TestArray array{kBlades, kPartitions, 1, {}, 3};
};

TEST(Replication, WhatWasPutIsThereAfterTheDeathOfItsPrimary) {
  Fixture fixture;
  TestArray& array = fixture.array;
  const InodeId bucket = array.make_bucket("b").value();
  ASSERT_TRUE(array.put(bucket, {"f"}, "content").ok());
  const TimePoint died = array.clock.now();
  fixture.lose(array.blade_of(bucket.partition()));
  EXPECT_EQ(array.get(bucket, {"f"}).value(), "content");
  EXPECT_LT(array.clock.now() - died, seconds(3));
  EXPECT_TRUE(array.put(bucket, {"g"}, "more").ok());
}

TEST(Replication, TwoBladesMayDieAtOnce) {
  Fixture fixture;
  TestArray& array = fixture.array;
  const InodeId bucket = array.make_bucket("b").value();
  ASSERT_TRUE(array.put(bucket, {"d", "e", "f"}, "content").ok());
  fixture.lose(array.blade(1));
  fixture.lose(array.blade(2));
  EXPECT_EQ(array.get(bucket, {"d", "e", "f"}).value(), "content");
  EXPECT_TRUE(array.put(bucket, {"d", "x", "g"}, "more").ok());
  fixture.bring_back(array.blade(1));
  fixture.bring_back(array.blade(2));
  EXPECT_TRUE(fixture.whole());
  EXPECT_EQ(array.get(bucket, {"d", "x", "g"}).value(), "more");
}

TEST(Replication, ARequestSentAgainAfterAFailOverIsDoneOnce) {
  Fixture fixture;
  TestArray& array = fixture.array;
  const InodeId bucket = array.make_bucket("b").value();
  ASSERT_TRUE(array.put(bucket, {"f"}, "old").ok());
  proto::DeleteFileRequest request;
  request.set_directory(bucket.value);
  request.set_name("f");
  const RequestId id = array.next_request();
  const auto send = [&] {
    return array.call<proto::DeleteFileReply>(bucket.partition(), proto::DELETE_FILE, request, {},
                                              id);
  };
  EXPECT_TRUE(send()->body.existed());
  ASSERT_TRUE(array.put(bucket, {"f"}, "new").ok());
  fixture.lose(array.blade_of(bucket.partition()));
  EXPECT_TRUE(send()->body.existed());
  EXPECT_EQ(array.get(bucket, {"f"}).value(), "new");
}

// The first primary alone knew that it had been answered, for it changed nothing.
TEST(Replication, ALateCopyOfARequestToAnEarlierPrimaryIsRefused) {
  Fixture fixture;
  TestArray& array = fixture.array;
  const InodeId bucket = array.make_bucket("b").value();
  proto::DeleteFileRequest request;
  request.set_directory(bucket.value);
  request.set_name("f");
  rpc::Request copy;
  copy.type = proto::DELETE_FILE;
  copy.id = array.next_request();
  copy.epoch = array.map.epoch();
  copy.body = request.SerializeAsString();
  const auto first = array.call<proto::DeleteFileReply>(bucket.partition(), proto::DELETE_FILE,
                                                        request, {}, copy.id);
  EXPECT_FALSE(first->body.existed());
  fixture.lose(array.blade_of(bucket.partition()));
  ASSERT_TRUE(array.put(bucket, {"f"}, "later").ok());
  const auto late =
      array.clock.run(array.blade_of(bucket.partition()).dispatcher->dispatch(std::move(copy)));
  EXPECT_TRUE(late.failed_with(Errc::wrong_primary));
  EXPECT_EQ(array.get(bucket, {"f"}).value(), "later");
}

TEST(Replication, APrimaryThatIsCutOffAnswersNobody) {
  Fixture fixture;
  TestArray& array = fixture.array;
  const InodeId bucket = array.make_bucket("b").value();
  ASSERT_TRUE(array.put(bucket, {"f"}, "old").ok());
  TestArray::Blade& primary = array.blade_of(bucket.partition());
  array.network.isolate(fmt::format("blade-{}", primary.id));
  array.clock.advance(seconds(2));
  proto::LookupRequest request;
  request.set_directory(bucket.value);
  request.set_name("f");
  rpc::Request read;
  read.type = proto::LOOKUP;
  read.epoch = array.map.epoch();
  read.body = request.SerializeAsString();
  EXPECT_FALSE(array.clock.run(primary.dispatcher->dispatch(std::move(read))).ok());
  array.network.end_isolation(fmt::format("blade-{}", primary.id));
  EXPECT_EQ(array.get(bucket, {"f"}).value(), "old");
}

// Puts an object into directories that are made for it in other partitions, while a blade loses its
// power at its n-th write to the journal, for every n.
TEST(Replication, TransactionsSurviveTheDeathOfAnyBladeAtEveryStep) {
  int finished_before = 0;
  for (uint64_t crash_at = 1; finished_before < 4 && crash_at < 40; ++crash_at) {
    finished_before = 0;
    for (uint32_t victim = 1; victim <= kBlades; ++victim) {
      SCOPED_TRACE(fmt::format("blade {} dies at append {}", victim, crash_at));
      Fixture fixture;
      TestArray& array = fixture.array;
      const InodeId bucket = array.make_bucket("b").value();
      ASSERT_TRUE(array.put(bucket, {"d", "old"}, "x").ok());
      TestArray::Blade& blade = array.blade(victim);
      blade.log->crash_at_append = blade.log->appended + crash_at;
      bool done = false;
      proto::PutFileRequest put;
      put.set_directory(bucket.value);
      for (const char* name : {"p", "q", "r", "f"}) put.add_path(name);
      put.mutable_content()->set_size(3);
      put.mutable_content()->set_inline_payload(true);
      asio::co_spawn(array.clock.executor(),
                     array.client->call<proto::PutFileReply>(
                         bucket.partition(), proto::PUT_FILE, put, Buffer::copy_of("new"),
                         array.next_request(), array.clock.now()),
                     [&](const std::exception_ptr&, const auto& answer) {
                       EXPECT_TRUE(answer.ok()) << answer.error().text();
                       done = true;
                     });
      const auto struck = [&] { return !blade.log->open; };
      array.clock.run_until([&] { return done || struck(); }, seconds(20));
      if (!struck()) {
        ++finished_before;
        blade.log->crash_at_append = 0;
        continue;
      }
      fixture.lose(blade);
      ASSERT_TRUE(array.clock.run_until([&] { return done; }, seconds(20)));
      EXPECT_EQ(array.get(bucket, {"p", "q", "r", "f"}).value_or("lost"), "new");
      ASSERT_TRUE(array.remove(bucket, {"p", "q", "r", "f"}).ok());
      ASSERT_TRUE(array.remove(bucket, {"d", "old"}).ok());
      EXPECT_TRUE(array.clock.run_until(
          [&] { return array.list(bucket).value_or(std::vector<std::string>{"?"}).empty(); },
          seconds(20)));
      fixture.bring_back(blade);
      EXPECT_TRUE(fixture.whole());
    }
  }
  EXPECT_EQ(finished_before, 4) << "some step was not reached";
}

}  // namespace
}  // namespace turbine::meta
