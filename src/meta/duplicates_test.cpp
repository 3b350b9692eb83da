// A request is executed once, also when it changes nothing and so leaves no entry in the log.
#include <gtest/gtest.h>

#include "meta/test_array.hpp"

namespace turbine::meta {
namespace {

struct Fixture {
  Fixture() {
    request.set_directory(bucket.value);
    request.set_name("f");
  }
  auto remove(RequestId id) {
    return array.call<proto::DeleteFileReply>(bucket.partition(), proto::DELETE_FILE, request, "",
                                              id);
  }
  TestArray array;
  InodeId bucket = array.make_bucket("b").value();
  proto::DeleteFileRequest request;
};

TEST(Duplicates, ALateCopyOfADeleteThatFoundNothingDeletesNothing) {
  Fixture fixture;
  const RequestId id = fixture.array.next_request();
  const auto first = fixture.remove(id);
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(first->body.existed());
  ASSERT_TRUE(fixture.array.put(fixture.bucket, {"f"}, "later").ok());
  const auto late = fixture.remove(id);
  ASSERT_TRUE(late.ok());
  EXPECT_FALSE(late->body.existed());
  EXPECT_EQ(fixture.array.get(fixture.bucket, {"f"}).value(), "later");
}

// Found by simulation seed 1054: both copies wait, for a key that another request has locked.
TEST(Duplicates, ACopyThatWaitsGetsTheAnswerOfTheFirst) {
  Fixture fixture;
  TestArray& array = fixture.array;
  const RequestId id = array.next_request();
  const PartitionPtr partition = array.served(fixture.bucket.partition());
  auto held = partition->locks().try_acquire({lock_name(fixture.bucket, "f")});
  ASSERT_TRUE(held.has_value());
  const auto send = [&] {
    return array.client->call<proto::DeleteFileReply>(
        fixture.bucket.partition(), proto::DELETE_FILE, fixture.request, {}, id, array.clock.now());
  };
  int answers = 0;
  const auto count = [&](const std::exception_ptr&, const auto& answer) {
    ASSERT_TRUE(answer.ok()) << answer.error().text();
    EXPECT_FALSE(answer->body.existed());
    ++answers;
  };
  for (int copy = 0; copy < 2; ++copy) {
    asio::co_spawn(array.clock.executor(), send(), count);
    array.clock.advance(std::chrono::milliseconds(1));
  }
  proto::PutFileRequest put;
  put.set_directory(fixture.bucket.value);
  put.add_path("f");
  put.mutable_content()->set_size(3);
  bool stored = false;
  asio::co_spawn(array.clock.executor(),
                 array.client->call<proto::PutFileReply>(
                     fixture.bucket.partition(), proto::PUT_FILE, put, Buffer::copy_of("new"),
                     array.next_request(), array.clock.now()),
                 [&](const std::exception_ptr&, const auto& answer) { stored = answer.ok(); });
  array.clock.advance(std::chrono::milliseconds(1));
  held.reset();
  array.clock.advance(std::chrono::milliseconds(100));
  EXPECT_EQ(answers, 2);
  EXPECT_TRUE(stored);
  EXPECT_EQ(array.get(fixture.bucket, {"f"}).value(), "new");
}

TEST(Duplicates, AFailedConditionStaysFailed) {
  Fixture fixture;
  TestArray& array = fixture.array;
  ASSERT_TRUE(array.put(fixture.bucket, {"f"}, "old").ok());
  proto::PutFileRequest put;
  put.set_directory(fixture.bucket.value);
  put.add_path("f");
  put.mutable_condition()->set_if_none_match("*");
  put.mutable_content()->set_size(3);
  const RequestId id = array.next_request();
  const auto send = [&] {
    return array.call<proto::PutFileReply>(fixture.bucket.partition(), proto::PUT_FILE, put, "new",
                                           id);
  };
  EXPECT_TRUE(send().failed_with(Errc::precondition_failed));
  ASSERT_TRUE(array.remove(fixture.bucket, {"f"}).ok());
  EXPECT_TRUE(send().failed_with(Errc::precondition_failed));
  EXPECT_FALSE(array.get(fixture.bucket, {"f"}).ok());
}

}  // namespace
}  // namespace turbine::meta
