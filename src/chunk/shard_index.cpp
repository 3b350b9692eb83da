#include "chunk/shard_index.hpp"

#include <algorithm>

#include "base/byte_codec.hpp"
#include "base/hash.hpp"

namespace turbine::chunk {
namespace {

constexpr char kKind = 'c';

std::string key_prefix(char kind) {
  std::string key;
  append_be<uint16_t>(key, 0);
  key.push_back(kind);
  return key;
}

}  // namespace

std::string shard_key(ShardId shard) {
  std::string key = key_prefix(kKind);
  append_be<uint64_t>(key, shard.stripe.value);
  append_be<uint8_t>(key, shard.index);
  return key;
}

std::string first_shard_key() {
  return key_prefix(kKind);
}
std::string end_shard_key() {
  return key_prefix(kKind + 1);
}

Result<ShardId> parse_shard_key(std::string_view key) {
  ByteReader reader(key);
  TRY(reader.take(3));
  const uint64_t stripe = TRY(reader.be<uint64_t>());
  const uint8_t index = TRY(reader.be<uint8_t>());
  if (!reader.empty()) return fail(Errc::corrupt, "shard key of {} bytes", key.size());
  return ShardId{StripeId(stripe), index};
}

proto::ShardIndexRecord to_record(const Shard& shard) {
  proto::ShardIndexRecord record;
  record.set_device_offset(shard.offset);
  record.set_bytes(shard.info.bytes);
  record.set_group(shard.info.group.value);
  record.set_generation(shard.info.generation);
  std::string* sums = record.mutable_block_checksums();
  for (uint64_t sum : shard.checksums) append_le(*sums, sum);
  return record;
}

Result<Shard> from_record(ShardId id, const proto::ShardIndexRecord& record) {
  Shard shard;
  shard.info = {id, GroupId(record.group()), record.generation(), record.bytes()};
  shard.offset = record.device_offset();
  const uint32_t bytes = record.bytes();
  const size_t blocks = (bytes + kBlockBytes - 1) / kBlockBytes;
  if (bytes == 0 || bytes % kPageBytes != 0 || bytes > kShardBytesMax ||
      shard.offset % kPageBytes != 0 || record.block_checksums().size() != blocks * 8) {
    return fail(Errc::corrupt, "index record of shard {}: {} bytes at {} with {} checksum bytes",
                id, bytes, shard.offset, record.block_checksums().size());
  }
  for (size_t i = 0; i < blocks; ++i) {
    shard.checksums.push_back(load_le<uint64_t>(record.block_checksums().data() + i * 8));
  }
  return shard;
}

uint64_t block_checksum(const ShardInfo& info, uint32_t block, uint64_t identity_seed,
                        ByteView bytes) {
  const uint64_t place = (uint64_t{info.shard.index} << 32) | block;
  return hash64(bytes,
                combine_seeds(identity_seed, info.shard.stripe.value, place, info.generation));
}

std::vector<uint64_t> block_checksums(const ShardInfo& info, uint64_t identity_seed,
                                      ByteView bytes) {
  std::vector<uint64_t> sums;
  for (size_t at = 0; at < bytes.size(); at += kBlockBytes) {
    sums.push_back(
        block_checksum(info, static_cast<uint32_t>(at / kBlockBytes), identity_seed,
                       bytes.subspan(at, std::min<size_t>(kBlockBytes, bytes.size() - at))));
  }
  return sums;
}

}  // namespace turbine::chunk
