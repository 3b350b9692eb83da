#include "kv/row_cache.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.hpp"

namespace turbine::kv {
namespace {

using Operation = WriteBatch::Operation;

TEST(RowCache, HoldsWhatTheStoreHoldsWhateverIsWritten) {
  Rng rng(1);
  const auto any_key = [&] { return fmt::format("key-{:03}", rng.below(300)); };
  RowCache cache(20'000);
  std::map<std::string, std::string> store;
  size_t found = 0;
  for (int step = 0; step < 100'000; ++step) {
    const std::string key = any_key();
    const uint64_t dice = rng.below(100);
    if (dice < 70) {
      const std::string* known = cache.find(key);
      const auto row = store.find(key);
      if (known != nullptr) {
        ++found;
        ASSERT_NE(row, store.end()) << key;
        ASSERT_EQ(*known, row->second);
      } else if (row != store.end()) {
        cache.put(key, row->second);
      }
    } else if (dice < 90) {
      const std::string value(rng.below(3000), static_cast<char>('a' + step % 26));
      store[key] = value;
      cache.apply({Operation::Kind::put, key, value});
    } else if (dice < 97) {
      store.erase(key);
      cache.apply({Operation::Kind::remove, key, {}});
    } else {
      const std::string end = any_key();
      if (key < end) store.erase(store.lower_bound(key), store.lower_bound(end));
      cache.apply({Operation::Kind::remove_range, key, end});
    }
  }
  EXPECT_GT(found, 1000U);
}

TEST(RowCache, ForgetsWhatWasNotUsedForLongest) {
  RowCache cache(10'000);
  const std::string value(800, 'v');
  for (int i = 0; i < 10; ++i) cache.put(fmt::format("{}", i), value);
  EXPECT_NE(cache.find("0"), nullptr);
  cache.put("another", value);
  EXPECT_NE(cache.find("0"), nullptr);
  EXPECT_EQ(cache.find("1"), nullptr);
}

TEST(RowCache, KeepsNoLargeRowsAndNoneThatWereOnlyWritten) {
  RowCache cache(1'000'000);
  cache.put("large", std::string(3000, 'v'));
  EXPECT_EQ(cache.find("large"), nullptr);
  cache.put("grows", "v");
  cache.apply({Operation::Kind::put, "grows", std::string(3000, 'v')});
  EXPECT_EQ(cache.find("grows"), nullptr);
  cache.apply({Operation::Kind::put, "written", "v"});
  EXPECT_EQ(cache.find("written"), nullptr);
}

}  // namespace
}  // namespace turbine::kv
