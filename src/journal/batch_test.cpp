#include "journal/batch.hpp"

#include <gtest/gtest.h>

#include "base/hash.hpp"

namespace turbine::journal {
namespace {

constexpr uint64_t kSeed = 42;

Record example() {
  return {RecordType::entry, PartitionId(7), Term(8), Lsn(9), "payload"};
}

std::string encoded(BatchHeader& header) {
  BatchBuilder builder(8192, [](size_t size) { return Buffer::allocate(size); });
  EXPECT_EQ(builder.add(example()).value, 8192U + kBatchHeaderBytes);
  builder.add({RecordType::chunk_put, PartitionId(0), Term(0), Lsn(0), std::string(5000, 'x')});
  header = {.sequence = 3, .flushed_sequence = 2, .previous_checksum = 5, .run = 6};
  return std::string(builder.finish(header, kSeed).text());
}

TEST(Batch, SurvivesEncodingAndParsing) {
  BatchHeader written;
  const std::string bytes = encoded(written);
  EXPECT_EQ(bytes.size(), 8192U);
  const BatchHeader header = parse_batch(as_bytes(bytes), 8192, kSeed).value();
  EXPECT_EQ(header.sequence, 3U);
  EXPECT_EQ(header.flushed_sequence, 2U);
  EXPECT_EQ(header.previous_checksum, 5U);
  EXPECT_EQ(header.run, 6U);
  EXPECT_EQ(header.checksum, written.checksum);
  EXPECT_EQ(header.end(), 16384U);
  std::vector<Record> records;
  const auto body = as_bytes(bytes).subspan(kBatchHeaderBytes, header.bytes - kBatchHeaderBytes);
  ASSERT_TRUE(parse_records(body, header.record_count, [&](Record r, size_t) {
                records.push_back(std::move(r));
              }).ok());
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].type, RecordType::entry);
  EXPECT_EQ(records[0].partition, PartitionId(7));
  EXPECT_EQ(records[0].term, Term(8));
  EXPECT_EQ(records[0].lsn, Lsn(9));
  EXPECT_EQ(records[0].payload, "payload");
  EXPECT_EQ(records[1].payload.size(), 5000U);
}

// A view of nothing has no address, which memcpy may not be given.
TEST(Batch, TakesARecordWithoutAPayload) {
  BatchBuilder builder(8192, [](size_t size) { return Buffer::allocate(size); });
  builder.add(RecordView(RecordType::entry, PartitionId(7), Term(8), Lsn(9), {}));
  BatchHeader header = {.sequence = 3};
  const Buffer bytes = builder.finish(header, kSeed);
  size_t seen = 0;
  ASSERT_TRUE(
      parse_records(bytes.view().subspan(kBatchHeaderBytes, header.bytes - kBatchHeaderBytes),
                    header.record_count,
                    [&](const Record& r, size_t) {
                      ++seen;
                      EXPECT_TRUE(r.payload.empty());
                    })
          .ok());
  EXPECT_EQ(seen, 1U);
}

TEST(Batch, KeepsItsBytes) {
  BatchHeader header;
  const std::string bytes = encoded(header);
  EXPECT_EQ(bytes.substr(8, 8), "TURBTCH1");
  EXPECT_EQ(hash64(bytes), 3579604372437593142U);
}

TEST(Batch, FailsWithWrongPlaceSegmentUseOrAnyFlippedBit) {
  BatchHeader header;
  const std::string good = encoded(header);
  EXPECT_TRUE(parse_batch(as_bytes(good), 12288, kSeed).failed_with(Errc::corrupt));
  EXPECT_TRUE(parse_batch(as_bytes(good), 8192, kSeed + 1).failed_with(Errc::corrupt));
  for (size_t bit = 0; bit < size_t{header.bytes} * 8; bit += bit < 1024 ? 1 : 61) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(parse_batch(as_bytes(bad), 8192, kSeed).ok()) << "bit " << bit;
  }
}

TEST(Batch, RefusesToReadPastItsEnd) {
  BatchHeader header;
  const std::string good = encoded(header);
  for (size_t size = 0; size < header.bytes; size += 7) {
    EXPECT_FALSE(parse_batch(as_bytes(good).subspan(0, size), 8192, kSeed).ok());
  }
}

}  // namespace
}  // namespace turbine::journal
