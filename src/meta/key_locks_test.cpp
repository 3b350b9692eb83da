#include "meta/key_locks.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.hpp"
#include "io/sim_clock.hpp"

namespace turbine::meta {
namespace {

struct Held {
  std::map<LockKey, std::pair<int, int>> holders;  // shared, exclusive
  int grants = 0;
  int timeouts = 0;

  void take(const std::vector<LockRequest>& requests, int step) {
    for (const LockRequest& request : requests) {
      auto& [shared, exclusive] = holders[request.key];
      (request.exclusive ? exclusive : shared) += step;
      ASSERT_TRUE(exclusive == 0 || (exclusive == 1 && shared == 0)) << "two hold one key";
    }
    if (step > 0) ++grants;
  }
};

Task<> hold(KeyLocks& locks, io::SimClock& clock, Held& held, std::vector<LockRequest> requests,
            int64_t work_us, int64_t patience_us) {
  KeyLocks::Guard guard;
  if (patience_us == 0) {
    guard = CO_TRY(co_await locks.acquire(requests));
  } else {
    auto result = co_await locks.acquire_until(
        requests, clock, clock.now() + std::chrono::microseconds(patience_us));
    if (!result.ok()) {
      EXPECT_TRUE(result.failed_with(Errc::busy));
      ++held.timeouts;
      co_return Result<>{};
    }
    guard = std::move(*result);
  }
  held.take(requests, 1);
  CO_TRY(co_await clock.sleep_for(std::chrono::microseconds(work_us)));
  held.take(requests, -1);
  co_return Result<>{};
}

class KeyLocksFuzz : public ::testing::TestWithParam<uint64_t> {};

TEST_P(KeyLocksFuzz, NeverGivesAKeyTwiceAndServesEverybody) {
  Rng rng(GetParam());
  io::SimClock clock;
  KeyLocks locks(clock.executor());
  Held held;
  Gate gate(clock.executor());
  constexpr int kRequests = 400;
  for (int i = 0; i < kRequests; ++i) {
    std::vector<LockRequest> requests;
    const size_t count = 1 + rng.below(4);
    for (size_t k = 0; k < count; ++k) {
      LockRequest request = lock_name(InodeId(rng.below(3)), std::to_string(rng.below(3)));
      request.exclusive = rng.chance(1, 3);
      bool twice = false;
      for (const LockRequest& other : requests) twice = twice || other.key == request.key;
      if (!twice) requests.push_back(request);
    }
    gate.spawn("holder",
               hold(locks, clock, held, std::move(requests), static_cast<int64_t>(rng.below(200)),
                    rng.chance(1, 4) ? static_cast<int64_t>(1 + rng.below(500)) : 0));
    if (rng.chance(1, 3)) clock.advance(std::chrono::microseconds(rng.below(300)));
  }
  ASSERT_TRUE(clock.run(gate.close()).ok());
  EXPECT_EQ(held.grants + held.timeouts, kRequests) << "seed " << GetParam();
  EXPECT_GT(held.timeouts, 0);
  EXPECT_EQ(locks.key_count(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, KeyLocksFuzz, ::testing::Range<uint64_t>(1, 21));

TEST(KeyLocks, TryAcquireDoesNotOvertakeThoseWhoWait) {
  io::SimClock clock;
  KeyLocks locks(clock.executor());
  const LockRequest exclusive = lock_present(InodeId(7), true);
  const LockRequest shared = lock_present(InodeId(7), false);
  auto reader = locks.try_acquire({shared});
  ASSERT_TRUE(reader.has_value());
  EXPECT_TRUE(locks.try_acquire({shared}).has_value());
  Held held;
  Gate gate(clock.executor());
  gate.spawn("writer", hold(locks, clock, held, {exclusive}, 10, 0));
  clock.run_until_idle();
  EXPECT_EQ(held.grants, 0);
  EXPECT_FALSE(locks.try_acquire({shared}).has_value());
  reader.reset();
  ASSERT_TRUE(clock.run(gate.close()).ok());
  EXPECT_EQ(held.grants, 1);
  EXPECT_TRUE(locks.try_acquire({exclusive}).has_value());
}

}  // namespace
}  // namespace turbine::meta
