// Locks of one file against a model of single bytes, and the order of those who wait.
#include "meta/file_locks.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>

#include "base/rng.hpp"
#include "meta/lock_waits.hpp"
#include "support/virtual_time.hpp"

namespace turbine::meta {
namespace {

LockOwner owner(int number) {
  return {"10.0.0." + std::to_string(number), "host", "h", static_cast<uint32_t>(number)};
}
WantedLock wanted(int who, uint64_t begin, uint64_t end, bool exclusive) {
  return {owner(who), {begin, end}, exclusive};
}
proto::ChangeLocksMutation taking(const WantedLock& lock, uint64_t claim = 0, uint32_t state = 0) {
  proto::ChangeLocksMutation change;
  *change.mutable_owner() = record_of(lock.owner);
  change.mutable_take()->set_begin(lock.span.begin);
  change.mutable_take()->set_end(lock.span.end);
  change.mutable_take()->set_exclusive(lock.exclusive);
  change.mutable_take()->set_claim(claim);
  change.mutable_take()->set_state(state);
  return change;
}
proto::ChangeLocksMutation dropping(int who, LockSpan span, std::optional<uint64_t> claim = {}) {
  proto::ChangeLocksMutation change;
  *change.mutable_owner() = record_of(owner(who));
  change.mutable_drop()->set_begin(span.begin);
  change.mutable_drop()->set_end(span.end);
  if (claim) change.mutable_drop()->set_claim(*claim);
  return change;
}
proto::ChangeLocksMutation releasing(const LockOwner& client, uint32_t state) {
  proto::ChangeLocksMutation change;
  *change.mutable_owner() = record_of(client);
  change.mutable_release()->set_state(state);
  return change;
}
FileLocks through_record(const FileLocks& table) {
  proto::FileLocks record;
  EXPECT_TRUE(record.ParseFromString(table.record().SerializeAsString()));
  return FileLocks::parse(record).value();
}

TEST(FileLocks, AreThoseOfAModelOfSingleBytes) {
  constexpr int kOwners = 4;
  constexpr uint64_t kBytes = 24;
  struct Byte {
    bool held = false, exclusive = false;
    uint64_t claim = 0;
    bool operator==(const Byte&) const = default;
  };
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    FileLocks table;
    std::array<std::array<Byte, kBytes>, kOwners> model{};
    for (int step = 0; step < 200; ++step) {
      const int who = static_cast<int>(rng.below(kOwners));
      const uint64_t begin = rng.below(kBytes);
      const uint64_t end = begin + 1 + rng.below(kBytes - begin);
      const bool exclusive = rng.chance(1, 2);
      const uint64_t claim = rng.below(3);
      const WantedLock lock = wanted(who, begin, end, exclusive);
      bool conflicts = false, holds = true, holds_by = true;
      for (uint64_t at = begin; at < end; ++at) {
        for (int other = 0; other < kOwners; ++other) {
          const Byte& byte = model[static_cast<size_t>(other)][at];
          if (other != who && byte.held && (exclusive || byte.exclusive)) conflicts = true;
        }
        const Byte& own = model[static_cast<size_t>(who)][at];
        if (!own.held || (exclusive && !own.exclusive)) holds = false;
        if (own.claim != claim) holds_by = false;
      }
      ASSERT_EQ(table.conflict(lock) != nullptr, conflicts);
      ASSERT_EQ(table.holds(lock), holds);
      ASSERT_EQ(table.holds_by(lock, claim), holds && holds_by);
      const auto before = model[static_cast<size_t>(who)];
      bool changed = false;
      if (rng.chance(1, 2) && !conflicts) {
        changed = table.apply(taking(lock, claim));
        for (uint64_t at = begin; at < end; ++at) {
          model[static_cast<size_t>(who)][at] = {true, exclusive, claim};
        }
      } else {
        const bool by_claim = rng.chance(1, 3);
        changed =
            table.apply(dropping(who, lock.span, by_claim ? std::optional(claim) : std::nullopt));
        for (uint64_t at = begin; at < end; ++at) {
          Byte& byte = model[static_cast<size_t>(who)][at];
          if (!by_claim || byte.claim == claim) byte = {};
        }
      }
      ASSERT_EQ(changed, before != model[static_cast<size_t>(who)]);
      table = through_record(table);
      // The same bytes, in the fewest locks.
      size_t runs = 0;
      for (int each = 0; each < kOwners; ++each) {
        for (uint64_t at = 0; at < kBytes; ++at) {
          const Byte& byte = model[static_cast<size_t>(each)][at];
          const bool begins = at == 0 || model[static_cast<size_t>(each)][at - 1] != byte;
          if (byte.held && begins) ++runs;
          ASSERT_EQ(table.holds_by(wanted(each, at, at + 1, byte.exclusive), byte.claim),
                    byte.held);
        }
      }
      ASSERT_EQ(table.size(), runs);
    }
  }
}

TEST(FileLocks, ReachToTheEndOfWhatMayBe) {
  FileLocks table;
  EXPECT_TRUE(table.apply(taking(wanted(1, 100, kLockToEnd, true))));
  EXPECT_NE(table.conflict(wanted(2, kLockToEnd - 1, kLockToEnd, false)), nullptr);
  EXPECT_EQ(table.conflict(wanted(2, 0, 100, true)), nullptr);
  EXPECT_TRUE(table.apply(dropping(1, {200, 300})));
  EXPECT_EQ(table.size(), 2U);
  EXPECT_TRUE(table.apply(dropping(1, {0, kLockToEnd})));
  EXPECT_TRUE(table.empty());
}

TEST(FileLocks, AClientThatBeganAnewKeepsWhatItTookSince) {
  FileLocks table;
  const auto of = [](const char* address, const char* name, uint32_t process) {
    return WantedLock{{address, name, "h", process}, {process, process + 1}, true};
  };
  table.apply(taking(of("10.0.0.1", "a.example", 1), 0, 3));
  table.apply(taking(of("10.0.0.1", "a.example", 2), 0, 5));
  table.apply(taking(of("10.0.0.1", "b", 3), 0, 3));
  table.apply(taking(of("10.0.0.2", "a.example", 4), 0, 3));
  FileLocks by_label = table, by_address = table;
  EXPECT_TRUE(table.apply(releasing({"10.0.0.1", "a.example", {}, 0}, 5)));
  EXPECT_EQ(table.size(), 3U);
  EXPECT_EQ(table.conflict(of("x", "x", 1)), nullptr);
  EXPECT_FALSE(table.apply(releasing({"10.0.0.1", "a.example", {}, 0}, 5)));
  EXPECT_TRUE(by_label.apply(releasing({"10.0.0.1", "a", {}, 0}, 7)));
  EXPECT_EQ(by_label.size(), 2U);
  EXPECT_TRUE(by_address.apply(releasing({"10.0.0.1", "10.0.0.1", {}, 0}, 7)));
  EXPECT_EQ(by_address.size(), 1U);
  EXPECT_FALSE(by_address.apply(releasing({"10.0.0.3", {}, {}, 0}, 7)));
  // Unmonitored clients have no state: all goes.
  by_address.apply(taking(of("10.0.0.1", "c", 9), 0, 0));
  EXPECT_TRUE(by_address.apply(releasing({"10.0.0.1", "c", {}, 0}, 0)));
  EXPECT_EQ(by_address.size(), 1U);
}

TEST(FileLocks, SharesExcludeWhatTheyDeny) {
  FileLocks table;
  const auto share = [](int who, uint32_t access, uint32_t deny) {
    return HeldShare{owner(who), access, deny};
  };
  const auto take = [&](const HeldShare& held) {
    proto::ChangeLocksMutation change;
    *change.mutable_owner() = record_of(held.owner);
    change.mutable_take_share()->set_access(held.access);
    change.mutable_take_share()->set_deny(held.deny);
    return table.apply(change);
  };
  EXPECT_TRUE(take(share(1, kShareReads, kShareWrites)));
  EXPECT_FALSE(take(share(1, kShareReads, kShareWrites)));
  table = through_record(table);
  EXPECT_NE(table.share_conflict(share(2, kShareWrites, 0)), nullptr);
  EXPECT_NE(table.share_conflict(share(2, 0, kShareReads)), nullptr);
  EXPECT_EQ(table.share_conflict(share(2, kShareReads, kShareWrites)), nullptr);
  EXPECT_EQ(table.share_conflict(share(1, kShareWrites, 0)), nullptr);
  EXPECT_TRUE(take(share(1, kShareReads, 0)));
  EXPECT_EQ(table.share_conflict(share(2, kShareWrites, 0)), nullptr);
  proto::ChangeLocksMutation drop;
  *drop.mutable_owner() = record_of(owner(1));
  drop.mutable_drop_share();
  EXPECT_TRUE(table.apply(drop));
  EXPECT_FALSE(table.apply(drop));
  EXPECT_TRUE(table.empty());
}

TEST(FileLocks, RecordsOfNobodyAreCorrupt) {
  proto::FileLocks record;
  record.add_locks()->set_owner(0);
  EXPECT_TRUE(FileLocks::parse(record).failed_with(Errc::corrupt));
  record.clear_locks();
  record.add_shares()->set_owner(0);
  EXPECT_TRUE(FileLocks::parse(record).failed_with(Errc::corrupt));
}

class LockWaitsTest : public testing::Test {
 protected:
  using WaitPtr = std::shared_ptr<LockWaits::Wait>;
  WaitPtr enter(const WantedLock& lock, int64_t since) {
    return waits_.enter(kFile, lock, TimePoint(Duration(since)));
  }
  bool woken(const WaitPtr& wait) {
    const bool woken = time_.run(wait->woken(time_, time_.now())).ok();
    waits_.arm(*wait);
    return woken;
  }
  void hold(const WantedLock& lock) { held_.apply(taking(lock)); }
  static constexpr InodeId kFile{7};
  test::VirtualTime time_;
  LockWaits waits_{time_.executor()};
  FileLocks held_;
};

TEST_F(LockWaitsTest, WhoWantedItFirstHasItFirstWheneverItCalled) {
  hold(wanted(1, 0, 10, true));
  const WaitPtr second = enter(wanted(2, 0, 10, true), 200);
  const WaitPtr first = enter(wanted(3, 0, 10, true), 100);
  const WaitPtr elsewhere = enter(wanted(4, 5, 20, false), 300);
  waits_.wake(kFile, held_);
  EXPECT_FALSE(woken(first) || woken(second) || woken(elsewhere));
  held_.apply(dropping(1, {0, 10}));
  EXPECT_TRUE(waits_.is_behind(kFile, *second, held_));
  EXPECT_FALSE(waits_.is_behind(kFile, *first, held_));
  waits_.wake(kFile, held_);
  EXPECT_TRUE(woken(first));
  EXPECT_FALSE(woken(second) || woken(elsewhere));
  waits_.leave(kFile, first);
  EXPECT_FALSE(waits_.is_behind(kFile, *second, held_));
}

TEST_F(LockWaitsTest, AllReadersAreWokenTogetherAndNobodyWaitsForThoseWhoWait) {
  hold(wanted(1, 0, 10, false));
  const WaitPtr writer = enter(wanted(2, 0, 10, true), 100);
  const WaitPtr reader = enter(wanted(3, 0, 10, false), 200);
  const WaitPtr other = enter(wanted(4, 0, 5, false), 300);
  EXPECT_FALSE(waits_.is_behind(kFile, *reader, held_));
  waits_.wake(kFile, held_);
  EXPECT_FALSE(woken(writer));
  EXPECT_TRUE(woken(reader));
  EXPECT_TRUE(woken(other));
}

TEST_F(LockWaitsTest, CirclesOfOneFileAreSeen) {
  hold(wanted(1, 0, 10, true));
  hold(wanted(2, 10, 20, true));
  hold(wanted(3, 20, 30, true));
  EXPECT_FALSE(waits_.would_deadlock(kFile, wanted(3, 0, 5, true), held_));
  enter(wanted(1, 10, 15, true), 1);
  enter(wanted(2, 25, 26, false), 2);
  EXPECT_TRUE(waits_.would_deadlock(kFile, wanted(3, 0, 5, false), held_));
  EXPECT_FALSE(waits_.would_deadlock(kFile, wanted(4, 0, 30, true), held_));
  EXPECT_FALSE(waits_.would_deadlock(InodeId(8), wanted(3, 0, 5, false), held_));
  waits_.withdraw(kFile, owner(2), {0, kLockToEnd});
  EXPECT_FALSE(waits_.would_deadlock(kFile, wanted(3, 0, 5, false), held_));
}

TEST_F(LockWaitsTest, WithdrawalAndTheEndOfServiceWake) {
  hold(wanted(1, 0, 10, true));
  const WaitPtr wait = enter(wanted(2, 0, 10, true), 1);
  waits_.withdraw(kFile, owner(2), {10, 20});
  EXPECT_FALSE(woken(wait) || wait->withdrawn());
  waits_.wake_all();
  EXPECT_TRUE(woken(wait));
  waits_.withdraw(kFile, owner(2), {9, 20});
  EXPECT_TRUE(woken(wait));
  EXPECT_TRUE(wait->withdrawn());
  waits_.leave(kFile, wait);
  EXPECT_EQ(waits_.size(kFile), 0U);
}

}  // namespace
}  // namespace turbine::meta
