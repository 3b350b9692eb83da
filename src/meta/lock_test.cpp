// Locks of files through the partition service, also over fail-overs.
#include <gtest/gtest.h>

#include "meta/test_array.hpp"

namespace turbine::meta {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint64_t kToEnd = UINT64_MAX;

class LocksTest : public testing::Test {
 protected:
  explicit LocksTest(uint32_t blades = 4, uint32_t replicas = 3)
      : array_(blades, 4, 1, {}, replicas) {}
  void SetUp() override {
    const auto all_served = [&] {
      for (uint32_t i = 0; i < 4; ++i) {
        if (array_.served(PartitionId(i)) == nullptr) return false;
      }
      return true;
    };
    ASSERT_TRUE(array_.clock.run_until(all_served, seconds(20)));
    array_.clock.advance(seconds(2));  // till leases are renewed in step
    bucket_ = array_.make_bucket("b").value();
    file_ = new_file("f");
  }
  void TearDown() override {
    EXPECT_TRUE(array_.clock.run_until([&] { return waiting_ == 0; }, seconds(20)));
  }

  InodeId new_file(const std::string& name) {
    const auto made = array_.put(bucket_, {name}, "x");
    EXPECT_TRUE(made.ok());
    return InodeId(made->inode().id());
  }
  proto::LockRequest request(uint32_t who, uint64_t begin, uint64_t end, bool exclusive = true) {
    proto::LockRequest request;
    request.set_inode(file_.value);
    request.mutable_owner()->set_address("10.0.0." + std::to_string(who));
    request.mutable_owner()->set_name("host");
    request.mutable_owner()->set_handle("1@host");
    request.mutable_owner()->set_process(1);
    request.set_begin(begin);
    request.set_end(end);
    request.set_exclusive(exclusive);
    request.set_state(1);
    return request;
  }
  Result<proto::LockReply> ask(int type, const proto::LockRequest& request, RequestId id = {}) {
    auto reply = TRY(array_.call<proto::LockReply>(file_.partition(), type, request, {}, id));
    return std::move(reply.body);
  }
  proto::LockVerdict lock(const proto::LockRequest& request) {
    const auto reply = ask(proto::LOCK_RANGE, request, array_.next_request());
    EXPECT_TRUE(reply.ok()) << reply.error().text();
    return reply.ok() ? reply->verdict() : proto::LOCK_DENIED;
  }
  proto::LockReply test(const proto::LockRequest& request) {
    return ask(proto::TEST_LOCK, request).value();
  }
  bool is_free(uint32_t who, uint64_t begin, uint64_t end, bool exclusive = true) {
    return test(request(who, begin, end, exclusive)).verdict() == proto::LOCK_GRANTED;
  }
  void unlock(uint32_t who, uint64_t begin, uint64_t end, std::optional<uint64_t> claim = {}) {
    proto::UnlockRangeRequest unlock;
    unlock.set_inode(file_.value);
    *unlock.mutable_owner() = request(who, begin, end).owner();
    unlock.set_begin(begin);
    unlock.set_end(end);
    if (claim) unlock.set_claim(*claim);
    EXPECT_TRUE(array_
                    .call<proto::UnlockRangeReply>(file_.partition(), proto::UNLOCK_RANGE, unlock,
                                                   {}, array_.next_request())
                    .ok());
  }
  void cancel(const proto::LockRequest& request) {
    EXPECT_TRUE(array_
                    .call<proto::CancelLockReply>(file_.partition(), proto::CANCEL_LOCK, request,
                                                  {}, array_.next_request())
                    .ok());
  }
  uint64_t release(const std::string& address, const std::string& name, uint32_t state) {
    proto::ReleaseLocksRequest release;
    release.set_partition(file_.partition().value);
    release.set_address(address);
    release.set_name(name);
    release.set_state(state);
    return array_.call<proto::ReleaseLocksReply>(file_.partition(), proto::RELEASE_LOCKS, release)
        .value()
        .body.files();
  }
  /// A call that waits, in the background; its answer once it has come.
  using Waiting = std::shared_ptr<std::optional<Result<rpc::With<proto::LockReply>>>>;
  Waiting wait(proto::LockRequest request, uint64_t claim, milliseconds waited = {},
               milliseconds patience = milliseconds(900)) {
    request.set_claim(claim);
    request.set_wait_ms(static_cast<uint32_t>(patience.count()));
    request.set_waited_ms(static_cast<uint64_t>(waited.count()));
    auto answer = std::make_shared<std::optional<Result<rpc::With<proto::LockReply>>>>();
    ++waiting_;
    asio::co_spawn(
        array_.clock.executor(),
        array_.client->call<proto::LockReply>(file_.partition(), proto::WAIT_LOCK,
                                              std::move(request), {}, {}, array_.clock.now()),
        [this, answer](const std::exception_ptr&, auto result) {
          answer->emplace(std::move(result));
          --waiting_;
        });
    array_.clock.advance(milliseconds(50));
    return answer;
  }
  /// Once it has come.
  proto::LockVerdict verdict(const Waiting& waiting) {
    EXPECT_TRUE(array_.clock.run_until([&] { return waiting->has_value(); }, seconds(20)));
    if (!waiting->has_value()) return proto::LOCK_WAITING;
    EXPECT_TRUE((*waiting)->ok()) << (*waiting)->error().text();
    return (*waiting)->ok() ? (**waiting)->body.verdict() : proto::LOCK_WAITING;
  }
  bool still_waits(const Waiting& waiting) {
    array_.clock.advance(milliseconds(50));
    return !waiting->has_value();
  }
  size_t rows(Kind kind) {
    const PartitionPtr partition = array_.served(file_.partition());
    auto it = partition->kv().scan(partition->keys().kind(kind), partition->keys().kind_end(kind));
    size_t count = 0;
    for (; it->valid(); it->next()) ++count;
    return count;
  }
  void lose_primary() {
    TestArray::Blade& blade = array_.blade_of(file_.partition());
    array_.crash(blade);
    array_.set_alive(blade, false);
  }

  TestArray array_;
  InodeId bucket_, file_;
  int waiting_ = 0;
};

TEST_F(LocksTest, ExcludeOthersAndTellWhoHoldsThem) {
  EXPECT_EQ(lock(request(1, 0, 100)), proto::LOCK_GRANTED);
  EXPECT_EQ(lock(request(1, 0, 100)), proto::LOCK_GRANTED);
  EXPECT_EQ(lock(request(2, 99, 100, false)), proto::LOCK_DENIED);
  EXPECT_EQ(lock(request(2, 100, kToEnd)), proto::LOCK_GRANTED);
  const proto::LockReply reply = test(request(3, 50, 150, false));
  EXPECT_EQ(reply.verdict(), proto::LOCK_DENIED);
  EXPECT_EQ(reply.holder().owner().address(), "10.0.0.1");
  EXPECT_EQ(reply.holder().owner().handle(), "1@host");
  EXPECT_EQ(reply.holder().owner().process(), 1U);
  EXPECT_EQ(reply.holder().begin(), 0U);
  EXPECT_EQ(reply.holder().end(), 100U);
  EXPECT_TRUE(reply.holder().exclusive());
  unlock(1, 0, 50);
  EXPECT_TRUE(is_free(3, 0, 50));
  EXPECT_FALSE(is_free(3, 0, 51));
  EXPECT_EQ(rows(Kind::lock), 1U);
  EXPECT_EQ(rows(Kind::lock_owner), 2U);
  unlock(1, 0, kToEnd);
  unlock(2, 0, kToEnd);
  EXPECT_EQ(rows(Kind::lock), 0U);
  EXPECT_EQ(rows(Kind::lock_owner), 0U);
}

TEST_F(LocksTest, SurviveTheDeathOfTheirPrimaryAndAreGrantedOnce) {
  const RequestId id = array_.next_request();
  EXPECT_EQ(ask(proto::LOCK_RANGE, request(1, 0, 100), id)->verdict(), proto::LOCK_GRANTED);
  EXPECT_EQ(lock(request(1, 200, 300, false)), proto::LOCK_GRANTED);
  lose_primary();
  EXPECT_FALSE(is_free(2, 0, 1));
  EXPECT_FALSE(is_free(2, 200, 201));
  EXPECT_TRUE(is_free(2, 200, 201, false));
  unlock(1, 0, kToEnd);
  // A copy of the first request comes late: it was answered, and locks nothing again.
  EXPECT_EQ(ask(proto::LOCK_RANGE, request(1, 0, 100), id)->verdict(), proto::LOCK_GRANTED);
  EXPECT_TRUE(is_free(2, 0, kToEnd));
}

TEST_F(LocksTest, SurviveARestartOfAllBlades) {
  EXPECT_EQ(lock(request(1, 0, 100)), proto::LOCK_GRANTED);
  for (uint32_t id = 1; id <= 4; ++id) array_.crash(array_.blade(id));
  for (uint32_t id = 1; id <= 4; ++id) array_.start(array_.blade(id));
  EXPECT_FALSE(is_free(2, 0, 1));
  EXPECT_EQ(release("10.0.0.1", "host", 3), 1U);
  EXPECT_TRUE(is_free(2, 0, 1));
}

TEST_F(LocksTest, OfAClientThatBeganAnewAreReleased) {
  EXPECT_EQ(lock(request(1, 0, 100)), proto::LOCK_GRANTED);
  EXPECT_EQ(lock(request(2, 100, 200)), proto::LOCK_GRANTED);
  const InodeId first = file_;
  file_ = new_file("g");
  EXPECT_EQ(lock(request(1, 0, 100)), proto::LOCK_GRANTED);
  const Waiting waiting = wait(request(3, 0, 1), 77);
  EXPECT_TRUE(still_waits(waiting));
  EXPECT_EQ(release("10.0.0.1", "host", 1), 0U);  // its present life
  EXPECT_EQ(release("10.0.0.1", "other", 3), 0U);
  EXPECT_EQ(release("10.0.0.1", "host", 3), 2U);
  EXPECT_EQ(verdict(waiting), proto::LOCK_GRANTED);
  file_ = first;
  EXPECT_TRUE(is_free(3, 0, 100));
  EXPECT_FALSE(is_free(3, 100, 200));
}

TEST_F(LocksTest, GoToWhoWaitsWhenTheyAreFree) {
  EXPECT_EQ(lock(request(1, 0, 100)), proto::LOCK_GRANTED);
  const Waiting later = wait(request(2, 0, 10), 20, milliseconds(10));
  const Waiting earlier = wait(request(3, 0, 10), 30, milliseconds(500));
  EXPECT_TRUE(still_waits(later));
  unlock(1, 5, 100);
  EXPECT_TRUE(still_waits(earlier));
  unlock(1, 0, 100);
  EXPECT_EQ(verdict(earlier), proto::LOCK_GRANTED);
  EXPECT_TRUE(still_waits(later));
  // The same question again, for its answer was lost; and one of the same owner by another gateway.
  EXPECT_EQ(verdict(wait(request(3, 0, 10), 30)), proto::LOCK_GRANTED);
  EXPECT_EQ(verdict(wait(request(3, 0, 10), 31)), proto::LOCK_HELD);
  EXPECT_EQ(verdict(later), proto::LOCK_WAITING);
}

TEST_F(LocksTest, AreGivenBackOnlyByTheClaimTheyWereGrantedBy) {
  EXPECT_EQ(verdict(wait(request(2, 0, 10), 20)), proto::LOCK_GRANTED);
  unlock(2, 0, 10, 21);
  EXPECT_FALSE(is_free(1, 0, 10));
  EXPECT_EQ(lock(request(2, 0, 10)), proto::LOCK_GRANTED);  // it knows
  unlock(2, 0, 10, 20);
  EXPECT_FALSE(is_free(1, 0, 10));
  unlock(2, 0, 10);
  EXPECT_EQ(verdict(wait(request(2, 0, 10), 22)), proto::LOCK_GRANTED);
  unlock(2, 0, 10, 22);
  EXPECT_TRUE(is_free(1, 0, 10));
}

TEST_F(LocksTest, WhoNoLongerWaitsGetsNothing) {
  EXPECT_EQ(lock(request(1, 0, 10)), proto::LOCK_GRANTED);
  const Waiting waiting = wait(request(2, 0, 10), 20);
  const Waiting behind = wait(request(3, 0, 10), 30);
  cancel(request(2, 0, 10));
  EXPECT_EQ(verdict(waiting), proto::LOCK_DENIED);
  unlock(1, 0, 10);
  EXPECT_EQ(verdict(behind), proto::LOCK_GRANTED);
  // Granted, but the owner was not told: the cancelled lock goes, and only that.
  cancel(request(3, 0, 9));
  cancel(request(3, 0, 10, false));
  EXPECT_FALSE(is_free(1, 0, 10));
  cancel(request(3, 0, 10));
  EXPECT_TRUE(is_free(1, 0, 10));
  EXPECT_EQ(lock(request(3, 0, 10)), proto::LOCK_GRANTED);
  cancel(request(3, 0, 10));
  EXPECT_FALSE(is_free(1, 0, 10));
}

TEST_F(LocksTest, WaitsThatCloseACircleAreRefused) {
  EXPECT_EQ(lock(request(1, 0, 10)), proto::LOCK_GRANTED);
  EXPECT_EQ(lock(request(2, 10, 20)), proto::LOCK_GRANTED);
  const Waiting waiting = wait(request(1, 10, 20), 10);
  proto::LockRequest closing = request(2, 0, 10);
  EXPECT_EQ(lock(closing), proto::LOCK_DENIED);
  closing.set_will_wait(true);
  EXPECT_EQ(lock(closing), proto::LOCK_DEADLOCK);
  EXPECT_EQ(verdict(wait(request(2, 5, 6), 20)), proto::LOCK_DEADLOCK);
  unlock(2, 10, 20);
  EXPECT_EQ(verdict(waiting), proto::LOCK_GRANTED);
}

TEST_F(LocksTest, WhoWaitsIsServedByTheNextPrimary) {
  EXPECT_EQ(lock(request(1, 0, 10)), proto::LOCK_GRANTED);
  const Waiting waiting = wait(request(2, 0, 10), 20);
  lose_primary();
  EXPECT_TRUE(array_.clock.run_until([&] { return array_.served(file_.partition()) != nullptr; },
                                     seconds(20)));
  unlock(1, 0, 10);
  // Its call has ended or been repeated; asked again under its claim, it has the lock.
  EXPECT_TRUE(array_.clock.run_until([&] { return waiting->has_value(); }, seconds(20)));
  EXPECT_EQ(verdict(wait(request(2, 0, 10), 20)), proto::LOCK_GRANTED);
}

TEST_F(LocksTest, AreForThoseWhoMayReadTheFile) {
  proto::LockRequest asked = request(1, 0, 10);
  asked.mutable_who()->set_uid(1000);
  EXPECT_EQ(lock(asked), proto::LOCK_GRANTED);
  proto::SetAttributesRequest chmod;
  chmod.set_inode(file_.value);
  chmod.set_mode(0600);
  ASSERT_TRUE(array_
                  .call<proto::SetAttributesReply>(file_.partition(), proto::SET_ATTRIBUTES, chmod,
                                                   {}, array_.next_request())
                  .ok());
  EXPECT_TRUE(ask(proto::LOCK_RANGE, asked, array_.next_request()).failed_with(Errc::denied));
  EXPECT_TRUE(ask(proto::TEST_LOCK, asked).failed_with(Errc::denied));
}

TEST_F(LocksTest, OfWhatIsNoFileAreRefused) {
  proto::LockRequest asked = request(1, 0, 10);
  asked.set_inode(bucket_.value);
  EXPECT_TRUE(array_
                  .call<proto::LockReply>(bucket_.partition(), proto::LOCK_RANGE, asked, {},
                                          array_.next_request())
                  .failed_with(Errc::invalid));
  asked = request(1, 10, 10);
  EXPECT_TRUE(ask(proto::LOCK_RANGE, asked, array_.next_request()).failed_with(Errc::invalid));
  EXPECT_TRUE(ask(proto::WAIT_LOCK, request(1, 0, 10)).failed_with(Errc::invalid));
  asked.set_inode(InodeId::make(file_.partition(), 999'999).value);
  asked.set_end(20);
  EXPECT_TRUE(ask(proto::LOCK_RANGE, asked, array_.next_request()).failed_with(Errc::stale));
}

TEST_F(LocksTest, GoWithTheirFile) {
  EXPECT_EQ(lock(request(1, 0, 10)), proto::LOCK_GRANTED);
  EXPECT_EQ(lock(request(2, 10, 20)), proto::LOCK_GRANTED);
  const Waiting waiting = wait(request(3, 0, 10), 30, {}, milliseconds(300));
  file_ = new_file("g");
  EXPECT_EQ(lock(request(1, 0, 10)), proto::LOCK_GRANTED);
  EXPECT_EQ(rows(Kind::lock), 2U);
  ASSERT_TRUE(array_.remove(bucket_, {"f"}).ok());
  EXPECT_EQ(rows(Kind::lock), 1U);
  EXPECT_EQ(rows(Kind::lock_owner), 1U);
  lose_primary();
  EXPECT_FALSE(is_free(2, 0, 10));
  EXPECT_EQ(release("10.0.0.2", {}, 9), 0U);
  EXPECT_TRUE(array_.clock.run_until([&] { return waiting->has_value(); }, seconds(20)));
  EXPECT_TRUE((*waiting)->failed_with(Errc::stale) ||
              (**waiting)->body.verdict() == proto::LOCK_WAITING);
}

TEST_F(LocksTest, AreBoundedInNumber) {
  for (uint64_t i = 0; i < 1024; ++i) {
    ASSERT_EQ(lock(request(1, 2 * i, 2 * i + 1)), proto::LOCK_GRANTED);
  }
  EXPECT_TRUE(ask(proto::LOCK_RANGE, request(1, 9999, 10'000), array_.next_request())
                  .failed_with(Errc::no_space));
  EXPECT_EQ(lock(request(1, 0, 3)), proto::LOCK_GRANTED);
}

TEST_F(LocksTest, SharesExcludeWhatTheyDeny) {
  const auto share = [&](uint32_t who, uint32_t access, uint32_t deny, bool remove = false) {
    proto::ShareFileRequest asked;
    asked.set_inode(file_.value);
    *asked.mutable_owner() = request(who, 0, 1).owner();
    asked.set_access(access);
    asked.set_deny(deny);
    asked.set_remove(remove);
    return array_
        .call<proto::ShareFileReply>(file_.partition(), proto::SHARE_FILE, asked, {},
                                     array_.next_request())
        .value()
        .body.verdict();
  };
  EXPECT_EQ(share(1, 1, 2), proto::LOCK_GRANTED);
  EXPECT_EQ(share(2, 2, 0), proto::LOCK_DENIED);
  lose_primary();
  EXPECT_EQ(share(2, 3, 0), proto::LOCK_DENIED);
  EXPECT_EQ(share(1, 0, 0, true), proto::LOCK_GRANTED);
  EXPECT_EQ(share(2, 2, 0), proto::LOCK_GRANTED);
  EXPECT_EQ(release("10.0.0.2", {}, 9), 1U);
  EXPECT_EQ(share(3, 1, 2), proto::LOCK_GRANTED);
}

}  // namespace
}  // namespace turbine::meta
