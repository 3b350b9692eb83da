#include "kv/kv.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "base/rng.hpp"
#include "io/reactor.hpp"
#include "io/sim_clock.hpp"
#include "kv/mem_kv.hpp"
#include "kv/rocks_kv.hpp"

namespace turbine::kv {
namespace {

// One suite for both stores: a fixture opens, loses (what was not flushed is forgotten) and runs.
class MemStore {
 public:
  void open() { kv = open_mem_kv(clock_, disk_); }
  void lose() {
    disk_.crash();
    kv.reset();
    open();
  }
  template <class T>
  Result<T> run(Task<T> task) {
    return clock_.run(std::move(task));
  }

 private:
  io::SimClock clock_;
  MemKvDisk disk_;

 public:
  std::unique_ptr<Kv> kv;
};

class RocksStore {
 public:
  RocksStore() {
    std::string pattern = (std::filesystem::temp_directory_path() / "turbine-kv-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~RocksStore() {
    kv.reset();
    std::filesystem::remove_all(directory_);
  }
  void open() {
    auto opened =
        open_rocks_kv(reactor_.executor(), reactor_.pool(), {.directory = directory_ + "/kv"});
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    kv = std::move(*opened);
  }
  void lose() {
    kv.reset();
    open();
  }
  template <class T>
  Result<T> run(Task<T> task) {
    return reactor_.run(std::move(task));
  }

 private:
  std::string directory_;
  io::Reactor reactor_;

 public:
  std::unique_ptr<Kv> kv;
};

template <class Store>
class KvSuite : public testing::Test {
 protected:
  void SetUp() override { store.open(); }
  Store store;
};
using Stores = testing::Types<MemStore, RocksStore>;
TYPED_TEST_SUITE(KvSuite, Stores);

WriteBatch put(const std::string& key, const std::string& value) {
  WriteBatch batch;
  batch.put(key, value);
  return batch;
}

std::map<std::string, std::string> contents(Kv& kv, const std::string& first,
                                            const std::string& end) {
  std::map<std::string, std::string> found;
  const auto iterator = kv.scan(first, end);
  for (; iterator->valid(); iterator->next()) {
    found.emplace(iterator->key(), iterator->value());
  }
  EXPECT_TRUE(iterator->status().ok());
  return found;
}

TYPED_TEST(KvSuite, ReadsItsOwnWritesBeforeAnyFlush) {
  Kv& kv = *this->store.kv;
  ASSERT_TRUE(kv.write(put("a", "1")).ok());
  EXPECT_EQ(kv.get("a").value(), "1");
  EXPECT_EQ(kv.get("b").value(), std::nullopt);
  EXPECT_EQ(this->store.run(kv.get_async("a")).value(), "1");
  EXPECT_GT(kv.unflushed_bytes(), 0U);
}

TYPED_TEST(KvSuite, KeepsWhatWasFlushedAndForgetsTheRest) {
  ASSERT_TRUE(this->store.kv->write(put("a", "flushed")).ok());
  ASSERT_TRUE(this->store.run(this->store.kv->flush()).ok());
  ASSERT_TRUE(this->store.kv->write(put("a", "newer")).ok());
  ASSERT_TRUE(this->store.kv->write(put("b", "newer")).ok());
  this->store.lose();
  EXPECT_EQ(this->store.kv->get("a").value(), "flushed");
  EXPECT_EQ(this->store.kv->get("b").value(), std::nullopt);
}

TYPED_TEST(KvSuite, ScanIsASnapshotInKeyOrder) {
  Kv& kv = *this->store.kv;
  for (const char* key : {"k3", "k1", "k2", "l1"}) ASSERT_TRUE(kv.write(put(key, key)).ok());
  const auto iterator = kv.scan("k", "l");
  WriteBatch batch;
  batch.remove("k2");
  batch.put("k4", "late");
  ASSERT_TRUE(kv.write(std::move(batch)).ok());
  std::string seen;
  for (; iterator->valid(); iterator->next()) seen += std::string(iterator->key()) + " ";
  EXPECT_EQ(seen, "k1 k2 k3 ");
}

TYPED_TEST(KvSuite, AgreesWithAPlainMapUnderRandomBatches) {
  const uint64_t seed = 20261123;
  Rng rng(seed);
  std::map<std::string, std::string> model, flushed;
  auto key = [&] { return fmt::format("{:03}", rng.below(200)); };
  for (int round = 0; round < 400; ++round) {
    WriteBatch batch;
    for (uint64_t i = rng.below(5) + 1; i > 0; --i) {
      if (rng.chance(1, 10)) {
        std::string first = key(), end = key();
        if (end < first) std::swap(first, end);
        model.erase(model.lower_bound(first), model.lower_bound(end));
        batch.remove_range(first, end);
      } else if (rng.chance(1, 4)) {
        const std::string gone = key();
        model.erase(gone);
        batch.remove(gone);
      } else {
        const std::string name = key();
        // Larger values take the path of blob files.
        const std::string value(rng.chance(1, 8) ? 5000 : 10, char('a' + rng.below(26)));
        model[name] = value;
        batch.put(name, value);
      }
    }
    ASSERT_TRUE(this->store.kv->write(std::move(batch)).ok());
    if (rng.chance(1, 20)) {
      ASSERT_TRUE(this->store.run(this->store.kv->flush()).ok());
      flushed = model;
    }
    if (rng.chance(1, 40)) {
      this->store.lose();
      model = flushed;
    }
    if (rng.chance(1, 10)) {
      ASSERT_EQ(contents(*this->store.kv, "", "~"), model) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace turbine::kv
