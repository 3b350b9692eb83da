// Small data that moves into a stripe: the entry, without the destager that makes it.
#include <gtest/gtest.h>

#include "kv/mem_kv.hpp"
#include "meta/image.hpp"
#include "support/virtual_time.hpp"

namespace turbine::meta {
namespace {

struct Swap : testing::Test {
  static constexpr uint64_t kContent = 77, kBytes = 2000;
  test::VirtualTime time;
  kv::MemKvDisk disk;
  std::unique_ptr<kv::Kv> kv = kv::open_mem_kv(time, disk);
  Image image{*kv, PartitionId(3)};
  const std::string run = image.keys().content(kContent, kBytes);
  const std::string queued = image.keys().pending(kContent, kBytes);

  void apply(const proto::LogEntry& entry) {
    const Lsn next(image.applied_lsn().value + 1);
    const auto applied = image.apply(entry, next, Term(1), {});
    ASSERT_TRUE(applied.ok()) << applied.error().text();
  }
  void put_bytes() {
    proto::LogEntry entry;
    proto::AddContentMutation& add = *entry.add_mutations()->mutable_add_content();
    add.set_content(kContent);
    add.set_counted(true);
    add.add_inline_data()->set_data(std::string(kBytes, 'x'));
    apply(entry);
  }
  void swap(uint64_t version) {
    proto::LogEntry entry;
    proto::SwapMutation& swap = *entry.add_mutations()->mutable_swap();
    swap.mutable_stripe()->set_id(9);
    proto::SwapPiece& piece = *swap.add_pieces();
    piece.set_content(kContent);
    piece.set_length(kBytes);
    piece.set_version(version);
    apply(entry);
  }
  void overwrite(const std::string& key, std::string value) {
    kv::WriteBatch batch;
    batch.put(key, std::move(value));
    ASSERT_TRUE(kv->write(std::move(batch)).ok());
  }
  uint64_t version() const {
    return read_record<proto::PendingSmall>(*kv, queued)->value().version();
  }
  void expect_swapped() {
    const auto record = read_record<proto::ContentRecord>(*kv, run);
    ASSERT_TRUE(record.ok() && record->has_value());
    EXPECT_EQ((*record)->extent().stripe(), 9U);
    EXPECT_EQ((*record)->extent().length(), kBytes);
    EXPECT_TRUE((*record)->counted());
    EXPECT_TRUE((*record)->data().empty());
    EXPECT_FALSE((*kv->get(queued)).has_value());
    EXPECT_EQ(image.state().small_bytes(), 0);
    EXPECT_EQ(image.state().striped_bytes(), static_cast<int64_t>(kBytes));
  }
};

TEST_F(Swap, MovesTheRunOfItsVersionOnly) {
  put_bytes();
  const uint64_t first = version();
  swap(first + 1);
  EXPECT_EQ(image.state().striped_bytes(), 0);
  EXPECT_TRUE((*kv->get(queued)).has_value());
  swap(first);
  expect_swapped();
}

TEST_F(Swap, DoesNotReadTheBytesAgain) {
  put_bytes();
  overwrite(run, "not a record");
  swap(version());
  expect_swapped();
}

TEST_F(Swap, TakesTheRowOfAnOlderVersionFromTheRunItself) {
  put_bytes();
  auto row = read_record<proto::PendingSmall>(*kv, queued)->value();
  row.clear_counted();
  overwrite(queued, row.SerializeAsString());
  swap(row.version());
  expect_swapped();
}

}  // namespace
}  // namespace turbine::meta
