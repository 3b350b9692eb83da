#include "journal/batch.hpp"

#include <algorithm>
#include <cstring>

#include "base/byte_codec.hpp"
#include "base/hash.hpp"

namespace turbine::journal {
namespace {

constexpr uint64_t kMagic = 0x3148435442525554;  // "TURBTCH1"
constexpr size_t kFirstBufferBytes = size_t{256} << 10;

// Offsets within the header.
constexpr size_t kChecksumAt = 0;
constexpr size_t kMagicAt = 8;
constexpr size_t kSequenceAt = 16;
constexpr size_t kPositionAt = 24;
constexpr size_t kFlushedAt = 32;
constexpr size_t kPreviousAt = 40;
constexpr size_t kRunAt = 48;
constexpr size_t kCountAt = 52;
constexpr size_t kBytesAt = 56;
constexpr size_t kReservedAt = 60;

bool is_record_type(uint8_t type) {
  return type >= static_cast<uint8_t>(RecordType::entry) &&
         type <= static_cast<uint8_t>(RecordType::blade);
}

}  // namespace

uint64_t segment_seed(uint64_t identity_seed, uint64_t segment_use) {
  return combine_seeds(identity_seed, segment_use);
}

// --- BatchBuilder ----------------------------------------------------------------------------

BatchBuilder::BatchBuilder(uint64_t position, Allocate allocate)
    : position_(position), allocate_(std::move(allocate)) {}

void BatchBuilder::reserve(size_t bytes) {
  if (bytes <= buffer_.capacity()) return;
  Buffer bigger = allocate_(std::max({bytes, 2 * buffer_.capacity(), kFirstBufferBytes}));
  if (bytes_ > kBatchHeaderBytes) std::memcpy(bigger.data(), buffer_.data(), bytes_);
  bigger.resize(bigger.capacity());
  buffer_ = std::move(bigger);
}

Position BatchBuilder::add(const RecordView& record) {
  reserve(bytes_ + record_bytes(record) + kPageBytes);
  const Position position{position_ + bytes_};
  std::byte* out = buffer_.data() + bytes_;
  store_le<uint32_t>(out, static_cast<uint32_t>(record.payload.size()));
  store_le<uint32_t>(out + 4, static_cast<uint32_t>(record.type));
  store_le<uint32_t>(out + 8, record.partition.value);
  store_le<uint32_t>(out + 12, 0);
  store_le<uint64_t>(out + 16, record.term.value);
  store_le<uint64_t>(out + 24, record.lsn.value);
  std::ranges::copy(as_bytes(record.payload), out + kRecordHeaderBytes);
  bytes_ += record_bytes(record);
  ++record_count_;
  return position;
}

Buffer BatchBuilder::finish(BatchHeader& header, uint64_t seed) {
  header.position = position_;
  header.record_count = record_count_;
  header.bytes = static_cast<uint32_t>(bytes_);
  reserve(bytes_ + kPageBytes);
  std::byte* out = buffer_.data();
  store_le(out + kMagicAt, kMagic);
  store_le(out + kSequenceAt, header.sequence);
  store_le(out + kPositionAt, header.position);
  store_le(out + kFlushedAt, header.flushed_sequence);
  store_le(out + kPreviousAt, header.previous_checksum);
  store_le(out + kRunAt, header.run);
  store_le(out + kCountAt, header.record_count);
  store_le(out + kBytesAt, header.bytes);
  store_le<uint32_t>(out + kReservedAt, 0);
  header.checksum = hash64(ByteView(out + kMagicAt, bytes_ - kMagicAt), seed);
  store_le(out + kChecksumAt, header.checksum);
  const size_t padded = header.end() - position_;
  std::memset(out + bytes_, 0, padded - bytes_);
  return buffer_.slice(0, padded);
}

// --- parsing ---------------------------------------------------------------------------------

std::optional<uint64_t> claimed_position(ByteView bytes) {
  if (bytes.size() < kBatchHeaderBytes || load_le<uint64_t>(bytes.data() + kMagicAt) != kMagic) {
    return std::nullopt;
  }
  return load_le<uint64_t>(bytes.data() + kPositionAt);
}

bool begins_like_batch(ByteView bytes, uint64_t position) {
  return claimed_position(bytes) == position;
}

Result<BatchHeader> parse_batch(ByteView bytes, uint64_t position, uint64_t seed) {
  if (!begins_like_batch(bytes, position)) {
    return fail(Errc::corrupt, "no batch at journal position {}", position);
  }
  const std::byte* in = bytes.data();
  BatchHeader header;
  header.checksum = load_le<uint64_t>(in + kChecksumAt);
  header.sequence = load_le<uint64_t>(in + kSequenceAt);
  header.position = position;
  header.flushed_sequence = load_le<uint64_t>(in + kFlushedAt);
  header.previous_checksum = load_le<uint64_t>(in + kPreviousAt);
  header.run = load_le<uint32_t>(in + kRunAt);
  header.record_count = load_le<uint32_t>(in + kCountAt);
  header.bytes = load_le<uint32_t>(in + kBytesAt);
  if (header.bytes < kBatchHeaderBytes || header.bytes > bytes.size()) {
    return fail(Errc::corrupt, "batch at journal position {} claims {} bytes", position,
                header.bytes);
  }
  if (hash64(bytes.subspan(kMagicAt, header.bytes - kMagicAt), seed) != header.checksum) {
    return fail(Errc::corrupt, "batch at journal position {} fails its checksum", position);
  }
  return header;
}

Result<> parse_records(ByteView body, uint32_t record_count, const RecordVisitor& visitor) {
  ByteReader in(body);
  for (uint32_t i = 0; i < record_count; ++i) {
    const size_t offset = kBatchHeaderBytes + (body.size() - in.rest().size());
    Record record;
    const uint32_t payload_bytes = TRY(in.le<uint32_t>());
    const uint32_t type = TRY(in.le<uint32_t>());
    record.partition = PartitionId(TRY(in.le<uint32_t>()));
    TRY(in.le<uint32_t>());
    record.term = Term(TRY(in.le<uint64_t>()));
    record.lsn = Lsn(TRY(in.le<uint64_t>()));
    if (type > 0xFF || !is_record_type(static_cast<uint8_t>(type)) ||
        payload_bytes > kRecordBytesMax) {
      return fail(Errc::corrupt, "journal record of type {} with {} bytes", type, payload_bytes);
    }
    record.type = static_cast<RecordType>(type);
    record.payload = std::string(TRY(in.take(payload_bytes)));
    visitor(std::move(record), offset);
  }
  if (!in.empty()) {
    return fail(Errc::corrupt, "{} bytes after the last journal record", in.rest().size());
  }
  return {};
}

}  // namespace turbine::journal
