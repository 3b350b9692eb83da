// A gateway that was silent for longer than its session lasts, with writes under way.
#include <gtest/gtest.h>

#include "fs/file_system.hpp"
#include "meta/partition_host.hpp"
#include "support/small_array.hpp"

namespace turbine::fs {
namespace {

using std::chrono::seconds;

struct LostSession : testing::Test {
  test::SmallArray array{6, 16};
  FileSystem& files = *array.files;
  Rng rng{3};

  LostSession() { EXPECT_TRUE(run(files.create_bucket(files.begin(7), "b")).ok()); }
  template <class T>
  Result<T> run(Task<T> task) {
    return array.clock.run(std::move(task));
  }
  Buffer random_bytes(size_t size) {
    Buffer buffer = Buffer::allocate(size);
    rng.fill(buffer.mutable_view());
    return buffer;
  }
  /// Long enough for every blade to end the gateway's session; begins when shards on their way have
  /// arrived.
  void silence() {
    array.clock.advance(seconds(1));
    array.network.isolate("gateway");
    array.clock.advance(seconds(45));
    array.network.heal();
    array.clock.advance(seconds(2));
  }
  static Task<std::string> get(FileSystem& files, std::string key) {
    auto reader = CO_TRY(co_await files.open(files.begin(7), "b", key));
    std::string bytes;
    while (bytes.size() < reader->info().size) {
      for (const Buffer& piece : CO_TRY(co_await reader->read(bytes.size(), 1 << 20))) {
        bytes += piece.text();
      }
    }
    co_return bytes;
  }
};

TEST_F(LostSession, APutUnderWayIsWrittenAgainUnderFreshIds) {
  const Buffer first = random_bytes(3 << 20), second = random_bytes(1'500'000);
  auto writer = run(files.create(files.begin(7), "b", "k", {})).value();
  ASSERT_TRUE(run(writer->write(first)).ok());
  silence();
  ASSERT_TRUE(run(writer->write(second)).ok());
  const auto made = run(writer->commit({}, {}));
  ASSERT_TRUE(made.ok()) << made.error().text();
  EXPECT_EQ(run(get(files, "k")).value(), std::string(first.text()) + std::string(second.text()));
}

TEST_F(LostSession, APartUnderWayIsWrittenAgainUnderFreshIds) {
  const auto upload = run(files.create_upload(files.begin(7), "b", "k", {})).value();
  const Buffer data = random_bytes(3 << 20);
  auto writer = run(files.create_part(files.begin(7), "b", "k", upload.id, 1, {})).value();
  ASSERT_TRUE(run(writer->write(data)).ok());
  silence();
  NewObject attributes;
  attributes.etag = "e";
  const auto part = run(writer->commit(std::move(attributes), {}));
  ASSERT_TRUE(part.ok()) << part.error().text();
  const auto made = run(
      files.complete_upload(files.begin(7), "b", "k", upload.id, {{1, data.size(), "e", 0}}, {}));
  ASSERT_TRUE(made.ok()) << made.error().text();
  EXPECT_EQ(run(get(files, "k")).value(), data.text());
}

/// Of gateways that live: no session ends here.
struct FailedPut : LostSession {
  std::unique_ptr<ObjectWriter> large_writer() {
    auto writer = run(files.create(files.begin(7), "b", "huge", {})).value();
    for (int i = 0; i < 90; ++i) EXPECT_TRUE(run(writer->write(random_bytes(1 << 20))).ok());
    EXPECT_EQ(hidden_inodes(), 1U);
    return writer;
  }
  size_t hidden_inodes() {
    size_t count = 0;
    for (const auto& blade : array.blades) {
      for (const meta::PartitionPtr& partition : blade->host->partitions()) {
        const meta::Keys& keys = partition->keys();
        auto rows =
            partition->kv().scan(keys.kind(meta::Kind::hidden), keys.kind_end(meta::Kind::hidden));
        for (; rows->valid(); rows->next()) ++count;
      }
    }
    return count;
  }
};

TEST_F(FailedPut, LeavesNothingWhenItsPartitionWasOutOfReach) {
  auto writer = large_writer();
  array.clock.advance(seconds(1));
  array.network.isolate("gateway");
  writer.reset();
  array.clock.advance(seconds(15));
  EXPECT_EQ(hidden_inodes(), 1U);
  array.network.heal();
  array.clock.advance(seconds(5));
  EXPECT_EQ(hidden_inodes(), 0U);
}

TEST_F(FailedPut, LeavesNothingWhenItsOutcomeIsUnknown) {
  auto writer = large_writer();
  array.clock.advance(seconds(1));
  array.network.isolate("gateway");
  EXPECT_TRUE(run(writer->commit({}, {})).failed_with(Errc::timeout));
  writer.reset();
  array.network.heal();
  array.clock.advance(seconds(60));
  EXPECT_EQ(hidden_inodes(), 0U);
}

// The ids that are left of a range leased before the silence are dead too.
TEST_F(LostSession, NextPutsLeaseFreshIds) {
  const Buffer data = random_bytes(200'000);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20; ++i) {
      const std::string key = fmt::format("{}-{}", round, i);
      auto writer = run(files.create(files.begin(7), "b", key, {})).value();
      ASSERT_TRUE(run(writer->write(data)).ok());
      const auto made = run(writer->commit({}, {}));
      ASSERT_TRUE(made.ok()) << key << ": " << made.error().text();
      EXPECT_EQ(run(get(files, key)).value(), data.text());
    }
    silence();
  }
}

}  // namespace
}  // namespace turbine::fs
