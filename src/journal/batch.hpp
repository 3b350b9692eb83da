// A batch of records as it lies in the journal: one header, records, padding to 4 KiB.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/buffer.hpp"
#include "base/result.hpp"
#include "journal/journal.hpp"

namespace turbine::journal {

/// docs/format/journal.md. The checksum covers header and records and is seeded with the identity
/// of the blade and the batch's position, which differs with each use of a segment.
struct BatchHeader {
  uint64_t position = 0;  // of this batch
  uint64_t flushed = 0;   // everything before was durable when this batch was written
  uint64_t previous = 0;  // where the batch before ended
  uint32_t bytes = 0;     // header and records, without padding
  uint32_t record_count = 0;
};

inline constexpr size_t kBatchHeaderBytes = 64;
inline constexpr size_t kRecordHeaderBytes = 32;
inline constexpr size_t kBatchBytesMax = kRecordBytesMax + 2 * kPageBytes;

inline uint64_t round_up_to_page(uint64_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

/// Gathers records into an aligned buffer that can be written as it is.
class BatchBuilder {
 public:
  BatchBuilder();
  /// Offset of the record in the batch. CHECKs the bound of a record's payload.
  uint64_t add(const Record& record);
  uint64_t bytes() const { return bytes_; }
  uint64_t padded_bytes() const { return round_up_to_page(bytes_); }
  bool empty() const { return record_count_ == 0; }
  /// Fills in the header and padding; the builder is empty afterwards.
  Buffer seal(uint64_t position, uint64_t flushed, uint64_t previous, uint64_t identity_seed);

 private:
  void grow(uint64_t bytes);
  Buffer buffer_;
  uint64_t bytes_ = kBatchHeaderBytes;
  uint32_t record_count_ = 0;
};

/// Reads the header at the front of `bytes`; Errc::corrupt when it is none of position `position`.
/// The checksum is not looked at.
Result<BatchHeader> parse_batch_header(ByteView bytes, uint64_t position);

/// Verifies the whole batch at the front of `bytes`. Errc::corrupt.
Result<BatchHeader> verify_batch(ByteView bytes, uint64_t position, uint64_t identity_seed);

struct PlacedRecord {
  Record record;
  Position position;
};
/// The records of a verified batch. Errc::corrupt when their lengths contradict the header.
Result<std::vector<PlacedRecord>> parse_records(ByteView bytes, const BatchHeader& header);

}  // namespace turbine::journal
