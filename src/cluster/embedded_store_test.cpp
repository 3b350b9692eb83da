#include "cluster/embedded_store.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/rng.hpp"
#include "io/sim_clock.hpp"

namespace turbine::cluster {
namespace {

namespace filesystem = std::filesystem;

std::string slurp(const filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void spill(const filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class EmbeddedStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    // In memory where there is such a place: these tests cut files, they don't need a slow fsync.
    base_ = (filesystem::exists("/dev/shm") ? "/dev/shm" : filesystem::temp_directory_path()) /
            fmt::format("turbine-store-{}-{}", ::getpid(), secure_random_text(6));
    directory_ = base_ / "store";
    filesystem::create_directories(base_);
  }
  void TearDown() override {
    store_.reset();
    filesystem::remove_all(base_);
  }
  Result<> open(const filesystem::path& directory, size_t log_bytes_max = size_t{4} << 20) {
    store_.reset();
    store_ = TRY(EmbeddedStore::open(directory, clock_.executor(), pool_, log_bytes_max));
    return {};
  }
  uint64_t put(const std::string& key, const std::string& value) {
    Result<uint64_t> done = clock_.run(store_->txn({}, {{key, value}}));
    EXPECT_TRUE(done.ok());
    return done.value_or(0);
  }
  std::string get(const std::string& key) {
    const auto record = clock_.run(store_->get(key)).value();
    return record ? record->value : "(none)";
  }

  filesystem::path base_, directory_;
  io::SimClock clock_;
  io::BlockingPool pool_{clock_.executor(), 0};
  std::unique_ptr<EmbeddedStore> store_;
};

TEST_F(EmbeddedStoreTest, KeepsTransactionsOverReopening) {
  ASSERT_TRUE(open(directory_).ok());
  const uint64_t first = put("a", "1");
  EXPECT_GT(put("b", "2"), first);
  EXPECT_TRUE(clock_.run(store_->txn({}, {{"a", "3"}, {"b", std::nullopt}})).ok());
  ASSERT_TRUE(open(directory_).ok());
  EXPECT_EQ(get("a"), "3");
  EXPECT_EQ(get("b"), "(none)");
  EXPECT_EQ(clock_.run(store_->list("")).value().size(), 1U);
}

TEST_F(EmbeddedStoreTest, RefusesATransactionWhoseCompareFails) {
  ASSERT_TRUE(open(directory_).ok());
  const uint64_t revision = put("a", "1");
  EXPECT_TRUE(clock_.run(store_->txn({{"a", revision}, {"b", 0}}, {{"a", "2"}})).ok());
  EXPECT_TRUE(clock_.run(store_->txn({{"a", revision}}, {{"a", "3"}})).failed_with(Errc::conflict));
  EXPECT_TRUE(clock_.run(store_->txn({{"a", 0}}, {{"a", "3"}})).failed_with(Errc::conflict));
  EXPECT_EQ(get("a"), "2");
}

TEST_F(EmbeddedStoreTest, TellsWatchersOfTheirPrefixOnly) {
  ASSERT_TRUE(open(directory_).ok());
  std::vector<uint64_t> seen;
  store_->watch("a/", [&](uint64_t revision) { seen.push_back(revision); });
  const uint64_t one = put("a/1", "");
  put("b/1", "");
  EXPECT_EQ(seen, (std::vector<uint64_t>{one}));
}

TEST_F(EmbeddedStoreTest, KeepsAPrefixOfTransactionsWhereverTheLogIsCut) {
  ASSERT_TRUE(open(directory_).ok());
  std::vector<uintmax_t> ends{filesystem::file_size(directory_ / "log")};
  for (int i = 1; i <= 6; ++i) {
    put("key", std::to_string(i));
    put("other", std::string(static_cast<size_t>(i) * 7, 'x'));
    ends.push_back(filesystem::file_size(directory_ / "log"));
  }
  store_.reset();
  const std::string log = slurp(directory_ / "log");
  for (size_t cut = ends.front(); cut <= log.size(); ++cut) {
    const filesystem::path copy = base_ / "copy";
    filesystem::remove_all(copy);
    filesystem::create_directory(copy);
    spill(copy / "log", log.substr(0, cut) + std::string(cut % 3, '\xAB'));
    ASSERT_TRUE(open(copy).ok()) << cut;
    const auto whole = std::ranges::upper_bound(ends, cut) - ends.begin() - 1;
    const std::string value = get("key");
    EXPECT_TRUE(value == (whole == 0 ? "(none)" : std::to_string(whole)) ||
                value == std::to_string(whole + 1))
        << cut << " " << value;
    put("after", "cut");  // the torn tail is gone: what follows is readable
    ASSERT_TRUE(open(copy).ok()) << cut;
    EXPECT_EQ(get("after"), "cut");
  }
}

TEST_F(EmbeddedStoreTest, RefusesDamageInTheMiddle) {
  ASSERT_TRUE(open(directory_).ok());
  for (int i = 0; i < 4; ++i) put("key", std::to_string(i));
  store_.reset();
  const std::string log = slurp(directory_ / "log");
  for (size_t at = 0; at < log.size(); ++at) {
    std::string bad = log;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    spill(directory_ / "log", bad);
    const Result<> opened = open(directory_);
    const bool in_last = at >= log.size() - (log.size() - 24) / 4;
    if (in_last) {
      ASSERT_TRUE(opened.ok()) << "a torn last record is no damage; byte " << at;
      EXPECT_EQ(get("key"), "2");
    } else {
      EXPECT_TRUE(opened.failed_with(Errc::corrupt)) << "byte " << at;
    }
  }
}

TEST_F(EmbeddedStoreTest, ContinuesFromASnapshotWithTheOldLogStillThere) {
  ASSERT_TRUE(open(directory_, 600).ok());
  std::string old_log, snapshot;
  int last = 0;
  for (; snapshot.empty(); ++last) {
    old_log = slurp(directory_ / "log");
    put(fmt::format("key{}", last % 10), std::to_string(last));
    if (filesystem::exists(directory_ / "snapshot")) snapshot = slurp(directory_ / "snapshot");
  }
  for (int i = last; i < 200; ++i) put(fmt::format("key{}", i % 10), std::to_string(i));
  EXPECT_LT(filesystem::file_size(directory_ / "log"), 1000U);
  ASSERT_TRUE(open(directory_).ok());
  for (int i = 190; i < 200; ++i) EXPECT_EQ(get(fmt::format("key{}", i % 10)), std::to_string(i));
  // A crash between the new snapshot and the new log leaves the old log beside it.
  store_.reset();
  spill(directory_ / "snapshot", snapshot);
  spill(directory_ / "log", old_log);
  spill(directory_ / "log.new", "half a head");
  ASSERT_TRUE(open(directory_).ok());
  EXPECT_EQ(get(fmt::format("key{}", (last - 1) % 10)), std::to_string(last - 1));
  put("after", "crash");
  ASSERT_TRUE(open(directory_).ok());
  EXPECT_EQ(get("after"), "crash");
}

TEST_F(EmbeddedStoreTest, RefusesASecondManager) {
  ASSERT_TRUE(open(directory_).ok());
  auto second = EmbeddedStore::open(directory_, clock_.executor(), pool_);
  EXPECT_TRUE(second.failed_with(Errc::exists));
}

TEST_F(EmbeddedStoreTest, LogAndSnapshotHaveTheirGoldenBytes) {
  ASSERT_TRUE(open(directory_, 10).ok());
  const auto hex = [](const std::string& bytes) {
    std::string out;
    for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
  };
  put("k", "v");
  EXPECT_EQ(hex(slurp(directory_ / "snapshot")),
            "5452435301000000010000000000000001000000010000006b01000000000000000100000076ed67"
            "1bbf1c8a3247");
  EXPECT_EQ(hex(slurp(directory_ / "log")), "5452434c0100000001000000000000005f74a58ebde850a2");
  ASSERT_TRUE(open(directory_).ok());
  put("k", "w");
  EXPECT_EQ(hex(slurp(directory_ / "log")),
            "5452434c0100000001000000000000005f74a58ebde850a20f0000000200000000000000"
            "39c3a5aab41feec001000000010000006b010100000077");
}

}  // namespace
}  // namespace turbine::cluster
