#include "cluster/settled_txn.hpp"

#include <gtest/gtest.h>

#include "io/sim_clock.hpp"

namespace turbine::cluster {
namespace {

/// Loses answers as its plan says, one letter a transaction: 'a' answers, 'd' does it and is
/// silent, 'n' does nothing and is silent, 'l' is silent and does it late, before the next one.
class ForgetfulStore final : public ClusterStore {
 public:
  explicit ForgetfulStore(std::string plan) : plan_(std::move(plan)) {}
  Task<std::optional<StoreRecord>> get(std::string key) override { return under.get(key); }
  Task<std::vector<StoreRecord>> list(std::string prefix) override { return under.list(prefix); }
  void watch(std::string, std::function<void(uint64_t)>) override {}
  Task<uint64_t> txn(std::vector<StoreCompare> compares, std::vector<StorePut> puts) override {
    for (auto& [held, late] : std::exchange(late_, {})) {
      const auto ignored = co_await under.txn(std::move(held), std::move(late));
      (void)ignored.ok();
    }
    const char step = next_ < plan_.size() ? plan_[next_++] : 'a';
    if (step == 'l') late_.emplace_back(compares, puts);
    if (step == 'a') co_return co_await under.txn(std::move(compares), std::move(puts));
    if (step == 'd') {
      const auto ignored = co_await under.txn(std::move(compares), std::move(puts));
      (void)ignored.ok();
    }
    co_return fail(Errc::timeout, "no answer");
  }

  MemStore under;

 private:
  const std::string plan_;
  size_t next_ = 0;
  std::vector<std::pair<std::vector<StoreCompare>, std::vector<StorePut>>> late_;
};

Result<uint64_t> count_up(io::SimClock& clock, ClusterStore& store, int value) {
  const auto record = clock.run(store.get("count")).value();
  return clock.run(settled_txn(store, {{"count", record ? record->revision : 0}},
                               {{"count", std::to_string(value)}}));
}

TEST(SettledTxn, EndsWithTheRecordOnceWrittenWhateverAnswersAreLost) {
  // All plans of up to four letters whose outcome can be found out: one of them answers.
  for (int code = 0; code < 4 * 4 * 4; ++code) {
    std::string plan;
    for (int rest = code, i = 0; i < 3; ++i, rest /= 4) plan += "adnl"[rest % 4];
    io::SimClock clock;
    ForgetfulStore store(plan);
    const auto done = count_up(clock, store, 1);
    ASSERT_TRUE(done.ok()) << plan << ": " << done.error().text();
    const auto record = clock.run(store.get("count")).value();
    ASSERT_TRUE(record.has_value()) << plan;
    EXPECT_EQ(record->value, "1") << plan;
    EXPECT_EQ(record->revision, *done) << plan << ": the next compare must hold";
  }
}

TEST(SettledTxn, SaysThatItDoesNotKnowAfterSomeLooks) {
  for (const char* plan : {"nnnnnn", "dddddd", "llllll"}) {
    io::SimClock clock;
    ForgetfulStore store(plan);
    EXPECT_TRUE(count_up(clock, store, 1).failed_with(Errc::timeout)) << plan;
  }
}

TEST(SettledTxn, DoesNotTakeAnothersRecordForItsOwn) {
  io::SimClock clock;
  ForgetfulStore store("l");
  store.under.watch("", [](uint64_t) {});
  ASSERT_TRUE(clock.run(store.under.txn({}, {{"count", "7"}})).ok());
  const auto done =
      clock.run(settled_txn(store, {{"count", 0}}, {{"count", "1"}}));  // based on an old read
  EXPECT_TRUE(done.failed_with(Errc::timeout));
  EXPECT_EQ(clock.run(store.get("count")).value()->value, "7");
}

TEST(SettledTxn, SettlesRemovals) {
  io::SimClock clock;
  ForgetfulStore store("ad");
  const uint64_t revision = clock.run(store.txn({}, {{"a", "1"}})).value();
  EXPECT_TRUE(clock.run(settled_txn(store, {{"a", revision}}, {{"a", std::nullopt}})).ok());
  EXPECT_FALSE(clock.run(store.get("a")).value().has_value());
}

TEST(SettledTxn, PassesKnownOutcomesOn) {
  io::SimClock clock;
  MemStore store;
  EXPECT_TRUE(clock.run(settled_txn(store, {{"a", 9}}, {{"a", "1"}})).failed_with(Errc::conflict));
  store.fail_transactions(true);
  EXPECT_TRUE(
      clock.run(settled_txn(store, {{"a", 0}}, {{"a", "1"}})).failed_with(Errc::unavailable));
}

}  // namespace
}  // namespace turbine::cluster
