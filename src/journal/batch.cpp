#include "journal/batch.hpp"

#include <algorithm>
#include <cstring>

#include "base/byte_codec.hpp"
#include "base/check.hpp"
#include "base/hash.hpp"

namespace turbine::journal {
namespace {

constexpr uint32_t kMagic = 0x4A425254;  // "TRBJ"
constexpr uint16_t kVersion = 1;
constexpr size_t kChecksumOffset = 48;
constexpr size_t kInitialBytes = 64 * 1024;

uint64_t checksum(ByteView batch, uint64_t position, uint64_t identity_seed) {
  const uint64_t seed = combine_seeds(identity_seed, position);
  const uint64_t head = hash64(batch.first(kChecksumOffset), seed);
  return hash64(batch.subspan(kBatchHeaderBytes), head);
}

}  // namespace

BatchBuilder::BatchBuilder() = default;

void BatchBuilder::grow(uint64_t bytes) {
  const uint64_t wanted = round_up_to_page(bytes_ + bytes);
  if (!buffer_.empty() && wanted <= buffer_.capacity()) return;
  Buffer larger = Buffer::allocate(std::max<uint64_t>({wanted, kInitialBytes, bytes_ * 2}));
  if (!buffer_.empty()) std::memcpy(larger.data(), buffer_.data(), bytes_);
  buffer_ = std::move(larger);
}

uint64_t BatchBuilder::add(const Record& record) {
  CHECK(record.payload.size() <= kRecordBytesMax);
  const size_t padded = (record.payload.size() + 7) / 8 * 8;
  grow(kRecordHeaderBytes + padded);
  const uint64_t offset = bytes_;
  std::byte* out = buffer_.data() + offset;
  store_le<uint32_t>(out, static_cast<uint32_t>(record.payload.size()));
  store_le<uint32_t>(out + 4, static_cast<uint32_t>(record.type));
  store_le<uint64_t>(out + 8, record.partition.value);
  store_le<uint64_t>(out + 16, record.term.value);
  store_le<uint64_t>(out + 24, record.lsn.value);
  if (!record.payload.empty()) {
    std::memcpy(out + kRecordHeaderBytes, record.payload.data(), record.payload.size());
  }
  std::memset(out + kRecordHeaderBytes + record.payload.size(), 0, padded - record.payload.size());
  bytes_ += kRecordHeaderBytes + padded;
  ++record_count_;
  return offset;
}

Buffer BatchBuilder::seal(uint64_t position, uint64_t flushed, uint64_t previous,
                          uint64_t identity_seed) {
  CHECK(!empty());
  std::byte* out = buffer_.data();
  std::memset(out, 0, kBatchHeaderBytes);
  store_le<uint32_t>(out, kMagic);
  store_le<uint16_t>(out + 4, kVersion);
  store_le<uint32_t>(out + 8, static_cast<uint32_t>(bytes_));
  store_le<uint32_t>(out + 12, record_count_);
  store_le<uint64_t>(out + 16, position);
  store_le<uint64_t>(out + 24, flushed);
  store_le<uint64_t>(out + 32, previous);
  store_le<uint64_t>(out + kChecksumOffset, checksum({out, bytes_}, position, identity_seed));
  std::memset(out + bytes_, 0, padded_bytes() - bytes_);
  Buffer sealed = std::move(buffer_);
  sealed.resize(padded_bytes());
  buffer_ = Buffer();
  bytes_ = kBatchHeaderBytes;
  record_count_ = 0;
  return sealed;
}

Result<BatchHeader> parse_batch_header(ByteView bytes, uint64_t position) {
  if (bytes.size() < kBatchHeaderBytes) return fail(Errc::corrupt, "no room for a batch header");
  const std::byte* in = bytes.data();
  BatchHeader header;
  header.bytes = load_le<uint32_t>(in + 8);
  header.record_count = load_le<uint32_t>(in + 12);
  header.position = load_le<uint64_t>(in + 16);
  header.flushed = load_le<uint64_t>(in + 24);
  header.previous = load_le<uint64_t>(in + 32);
  if (load_le<uint32_t>(in) != kMagic || load_le<uint16_t>(in + 4) != kVersion ||
      header.position != position) {
    return fail(Errc::corrupt, "no batch of position {} here", position);
  }
  if (header.bytes < kBatchHeaderBytes || header.bytes > kBatchBytesMax) {
    return fail(Errc::corrupt, "the batch at {} claims {} bytes", position, header.bytes);
  }
  return header;
}

Result<BatchHeader> verify_batch(ByteView bytes, uint64_t position, uint64_t identity_seed) {
  const BatchHeader header = TRY(parse_batch_header(bytes, position));
  if (header.bytes > bytes.size()) {
    return fail(Errc::corrupt, "the batch at {} goes beyond its segment", position);
  }
  const uint64_t stored = load_le<uint64_t>(bytes.data() + kChecksumOffset);
  if (checksum(bytes.first(header.bytes), position, identity_seed) != stored) {
    return fail(Errc::corrupt, "the batch at {} fails its checksum", position);
  }
  return header;
}

Result<std::vector<PlacedRecord>> parse_records(ByteView bytes, const BatchHeader& header) {
  std::vector<PlacedRecord> records;
  uint64_t at = kBatchHeaderBytes;
  for (uint32_t i = 0; i < header.record_count; ++i) {
    if (header.bytes - at < kRecordHeaderBytes) {
      return fail(Errc::corrupt, "the batch at {} ends in a record header", header.position);
    }
    const std::byte* in = bytes.data() + at;
    const uint32_t size = load_le<uint32_t>(in);
    const uint64_t padded = (uint64_t{size} + 7) / 8 * 8;
    if (size > kRecordBytesMax || padded > header.bytes - at - kRecordHeaderBytes) {
      return fail(Errc::corrupt, "a record of the batch at {} claims {} bytes", header.position,
                  size);
    }
    PlacedRecord placed;
    placed.record.type = static_cast<RecordType>(load_le<uint32_t>(in + 4));
    placed.record.partition = PartitionId(static_cast<uint32_t>(load_le<uint64_t>(in + 8)));
    placed.record.term = Term(load_le<uint64_t>(in + 16));
    placed.record.lsn = Lsn(load_le<uint64_t>(in + 24));
    placed.record.payload.assign(reinterpret_cast<const char*>(in + kRecordHeaderBytes), size);
    placed.position = Position{header.position + at};
    records.push_back(std::move(placed));
    at += kRecordHeaderBytes + padded;
  }
  if (at != header.bytes) {
    return fail(Errc::corrupt, "the batch at {} holds more than its records", header.position);
  }
  return records;
}

}  // namespace turbine::journal
