// Batch: the unit the journal writes, its bytes on disk (docs/format/journal.md). Pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/buffer.hpp"
#include "base/result.hpp"
#include "journal/journal.hpp"

namespace turbine::journal {

inline constexpr size_t kBatchHeaderBytes = 64;
inline constexpr size_t kRecordHeaderBytes = 32;
/// A batch is closed at this size; one larger record gets a batch of its own.
inline constexpr size_t kBatchBytesMax = size_t{1} << 20;

struct BatchHeader {
  uint64_t checksum = 0;           // XXH3 of all that follows, seeded with identity and segment use
  uint64_t sequence = 0;           // 1, 2, … without gaps
  uint64_t position = 0;           // of the header, in the endless log
  uint64_t flushed_sequence = 0;   // this batch and all before were flushed when this was written
  uint64_t previous_checksum = 0;  // of batch sequence - 1: stale batches don't chain
  uint32_t run = 0;                // grows each time the journal is opened
  uint32_t record_count = 0;
  uint32_t bytes = 0;  // header and records, without the padding to 4 KiB

  uint64_t end() const { return position + (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }
};

inline size_t record_bytes(const RecordView& record) {
  return kRecordHeaderBytes + record.payload.size();
}

/// Seed of the checksums of one use of one segment.
uint64_t segment_seed(uint64_t identity_seed, uint64_t segment_use);

/// Collects records in the buffer that will be written.
class BatchBuilder {
 public:
  using Allocate = std::function<Buffer(size_t)>;
  BatchBuilder(uint64_t position, Allocate allocate);

  /// Returns the record's position.
  Position add(const RecordView& record);
  uint64_t position() const { return position_; }
  size_t bytes() const { return bytes_; }
  uint32_t record_count() const { return record_count_; }
  /// Completes `header` and the padding. The buffer may be written; no add() afterwards.
  Buffer finish(BatchHeader& header, uint64_t seed);

 private:
  void reserve(size_t bytes);
  uint64_t position_;
  Allocate allocate_;
  Buffer buffer_;
  size_t bytes_ = kBatchHeaderBytes;
  uint32_t record_count_ = 0;
};

/// Reads the batch at `position` out of `bytes`, which start there and end with the segment.
/// Errc::corrupt: no batch, or not whole. Only then may parse_records() see its body.
Result<BatchHeader> parse_batch(ByteView bytes, uint64_t position, uint64_t seed);
/// The position that the bytes, if they begin like a batch, whole or not, claim to be of.
std::optional<uint64_t> claimed_position(ByteView bytes);
/// True when the bytes begin like a batch of this place, whole or not.
bool begins_like_batch(ByteView bytes, uint64_t position);

using RecordVisitor = std::function<void(Record record, size_t offset)>;
/// Calls `visitor` for each record; `body` is what follows the header, `offset` counts from the
/// header. Errc::corrupt when lengths or types make no sense; some records were visited then.
Result<> parse_records(ByteView body, uint32_t record_count, const RecordVisitor& visitor);

}  // namespace turbine::journal
