// Index records and keys of shards as a damaged store could give them: refused or sound.
#include "base/check.hpp"
#include "chunk/shard_index.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace turbine;
  using namespace turbine::chunk;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto key = parse_shard_key(bytes);
  if (key.ok() && bytes.starts_with(first_shard_key())) CHECK(shard_key(*key) == bytes);

  proto::ShardIndexRecord record;
  if (!record.ParseFromArray(data, static_cast<int>(size))) return 0;
  const ShardId id{StripeId(7), 3};
  const auto shard = from_record(id, record);
  if (!shard.ok()) {
    CHECK(shard.error().code == Errc::corrupt);
    return 0;
  }
  CHECK(shard->info.bytes > 0 && shard->info.bytes <= kShardBytesMax);
  CHECK(shard->offset % kPageBytes == 0 && shard->info.bytes % kPageBytes == 0);
  CHECK(shard->checksums.size() == (shard->info.bytes + kBlockBytes - 1) / kBlockBytes);
  const auto again = from_record(id, to_record(*shard));
  CHECK(again.ok() && again->checksums == shard->checksums && again->offset == shard->offset);
  CHECK(again->info.bytes == shard->info.bytes && again->info.group == shard->info.group);
  CHECK(again->info.generation == shard->info.generation);
  return 0;
}
