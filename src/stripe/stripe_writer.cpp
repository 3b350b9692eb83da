#include "stripe/stripe_writer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/async.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "erasure/erasure.hpp"

namespace turbine::stripe {
namespace {

uint64_t total_bytes(const std::vector<Buffer>& data) {
  uint64_t total = 0;
  for (const Buffer& buffer : data) total += buffer.size();
  return total;
}

// Takes consecutive ranges out of a list of buffers.
class Cursor {
 public:
  explicit Cursor(const std::vector<Buffer>& data) : data_(data) {}

  // The next `size` bytes without a copy, when one buffer holds them at an aligned address.
  bool share(size_t size, Buffer& out) {
    skip_ended();
    if (index_ == data_.size()) return false;
    const Buffer& buffer = data_[index_];
    const auto address = reinterpret_cast<uintptr_t>(buffer.data()) + offset_;
    if (buffer.size() - offset_ < size || address % kShardUnit != 0) return false;
    out = buffer.slice(offset_, size);
    offset_ += size;
    return true;
  }
  // Copies up to out.size() bytes; returns how many there were.
  size_t copy(MutableByteView out) {
    size_t done = 0;
    while (done < out.size()) {
      skip_ended();
      if (index_ == data_.size()) break;
      const Buffer& buffer = data_[index_];
      const size_t part = std::min(out.size() - done, buffer.size() - offset_);
      std::memcpy(out.data() + done, buffer.data() + offset_, part);
      done += part;
      offset_ += part;
    }
    return done;
  }

 private:
  void skip_ended() {
    while (index_ < data_.size() && offset_ == data_[index_].size()) {
      ++index_;
      offset_ = 0;
    }
  }
  const std::vector<Buffer>& data_;
  size_t index_ = 0, offset_ = 0;
};

}  // namespace

uint32_t shard_bytes_for(uint64_t data_bytes, int data_count) {
  const uint64_t even = (data_bytes + data_count - 1) / data_count;
  return static_cast<uint32_t>((even + kShardUnit - 1) / kShardUnit * kShardUnit);
}

std::vector<BladeId> GroupStripeWriter::avoided() const {
  std::vector<BladeId> blades;
  const TimePoint now = clock_.now();
  for (const auto& [blade, until] : avoid_until_) {
    if (now < until) blades.push_back(blade);
  }
  return blades;
}

// A writer that was paused finds all its calls late at once, and not by the blades' fault. So when
// those to avoid leave no group, one is tried of all blades that the map calls alive.
const cluster::GroupView* GroupStripeWriter::choose_group(const cluster::ClusterMap& map,
                                                          uint64_t pick, bool* last_resort) const {
  const cluster::GroupView* group = map.choose_group(pick, avoided());
  *last_resort = group == nullptr && clock_.now() >= no_space_until_;
  return *last_resort ? map.choose_group(pick, {}) : group;
}

uint32_t GroupStripeWriter::stripe_bytes_max() const {
  const cluster::MapPtr map = map_.get();
  if (!map) return kShardBytesMax;
  bool last_resort = false;
  const cluster::GroupView* group = choose_group(*map, 0, &last_resort);
  return kShardBytesMax * static_cast<uint32_t>(group != nullptr ? group->data_count : 1);
}

Result<GroupStripeWriter::Attempt> GroupStripeWriter::choose(StripeId id,
                                                             uint64_t data_bytes) const {
  Attempt attempt;
  attempt.map = map_.get();
  if (!attempt.map) return fail(Errc::unavailable, "no cluster map yet");
  attempt.id = id;
  attempt.group = choose_group(*attempt.map, combine_seeds(id.value, 0), &attempt.last_resort);
  if (attempt.group == nullptr) {
    bool full = clock_.now() < no_space_until_;
    for (const proto::Blade& blade : attempt.map->record().blades()) full |= blade.full();
    if (full) return fail(Errc::no_space, "no placement group without full or failed blades");
    return fail(Errc::unavailable, "no placement group of blades that are alive");
  }
  attempt.shard_bytes = shard_bytes_for(data_bytes, attempt.group->data_count);
  if (attempt.shard_bytes > kShardBytesMax) {
    return fail(Errc::too_large, "{} bytes do not fit a stripe of {} data shards", data_bytes,
                attempt.group->data_count);
  }
  return attempt;
}

std::vector<Buffer> GroupStripeWriter::make_shards(const std::vector<Buffer>& data,
                                                   const cluster::GroupView& group,
                                                   uint32_t shard_bytes) {
  const size_t k = static_cast<size_t>(group.data_count);
  const size_t m = static_cast<size_t>(group.parity_count);
  std::vector<Buffer> shards(k + m);
  std::vector<const std::byte*> sources(k);
  Cursor cursor(data);
  for (size_t i = 0; i < k; ++i) {
    if (!cursor.share(shard_bytes, shards[i])) {
      shards[i] = Buffer::allocate(shard_bytes);
      const size_t copied = cursor.copy(shards[i].mutable_view());
      std::memset(shards[i].data() + copied, 0, shard_bytes - copied);
      counters_.copied_bytes += copied;
    }
    sources[i] = shards[i].data();
  }
  std::vector<std::byte*> parity(m);
  for (size_t i = 0; i < m; ++i) {
    shards[k + i] = Buffer::allocate(shard_bytes);
    parity[i] = shards[k + i].data();
  }
  if (m > 0) {
    erasure::codec_for(group.data_count, group.parity_count)->encode(sources, parity, shard_bytes);
  }
  return shards;
}

void GroupStripeWriter::note_failure(BladeId blade, Errc code) {
  if (code == Errc::stale_epoch) return;  // the map's fault, not the blade's
  if (code == Errc::no_space) no_space_until_ = clock_.now() + options_.avoid_for;
  avoid_until_[blade] = clock_.now() + options_.avoid_for;
}

// True when every shard is durable; otherwise what was written is freed again, as far as its blades
// answer, and the blades that failed are avoided.
Task<bool> GroupStripeWriter::put_all(Attempt attempt) {
  const cluster::GroupView& group = *attempt.group;
  std::vector<Task<>> puts;
  puts.reserve(attempt.shards.size());
  for (size_t i = 0; i < attempt.shards.size(); ++i) {
    puts.push_back(io_.put(group.blades[i], ShardId{attempt.id, static_cast<uint8_t>(i)}, group.id,
                           group.version, 1, std::move(attempt.shards[i])));
  }
  const auto results = co_await when_all(std::move(puts));
  std::vector<Task<>> frees;
  bool whole = true;
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok()) continue;
    whole = false;
    log::debug("stripe {}: shard {} on blade {}: {}", attempt.id, i, group.blades[i],
               results[i].error().text());
    note_failure(group.blades[i], results[i].error().code);
  }
  if (whole) {
    for (const BladeId blade : group.blades) avoid_until_.erase(blade);
    co_return true;
  }
  ++counters_.given_up;
  for (size_t i = 0; i < results.size(); ++i) {
    if (!results[i].ok()) continue;
    frees.push_back(io_.free(group.blades[i], {ShardId{attempt.id, static_cast<uint8_t>(i)}}));
  }
  // Best effort: what stays is nobody's and the orphan sweep takes it.
  for (const auto& freed : co_await when_all(std::move(frees))) {
    if (!freed.ok()) log::debug("stripe {} given up: {}", attempt.id, freed.error().text());
  }
  co_return false;
}

Task<proto::NewStripe> GroupStripeWriter::write(PartitionId home, std::vector<Buffer> data) {
  const uint64_t data_bytes = total_bytes(data);
  CHECK(data_bytes > 0);
  for (int attempts = 0; attempts < options_.attempts_max; ++attempts) {
    const StripeId id = CO_TRY(co_await ids_.next(home));
    Attempt attempt = CO_TRY(choose(id, data_bytes));
    attempt.shards = make_shards(data, *attempt.group, attempt.shard_bytes);
    const cluster::MapPtr map = attempt.map;
    const bool last_resort = attempt.last_resort;
    proto::NewStripe stripe;
    stripe.set_id(id.value);
    stripe.set_group(attempt.group->id.value);
    stripe.set_group_version(attempt.group->version);
    stripe.set_shard_bytes(attempt.shard_bytes);
    stripe.set_data_bytes(static_cast<uint32_t>(data_bytes));
    const bool whole = CO_TRY(co_await put_all(std::move(attempt)));
    if (whole) {
      ++counters_.stripes;
      counters_.data_bytes += data_bytes;
      co_return stripe;
    }
    if (last_resort) break;
    // With nobody to avoid the group's version was old: give the newer map a moment to come.
    if (avoided().empty() && map_.get() == map) {
      CO_TRY(co_await clock_.sleep_for(options_.map_wait));
    }
  }
  co_return fail(clock_.now() < no_space_until_ ? Errc::no_space : Errc::unavailable,
                 "stripe of {} bytes found no group whose blades all took it", data_bytes);
}

Task<> GroupStripeWriter::discard(proto::NewStripe stripe) {
  const cluster::MapPtr map = map_.get();
  const cluster::GroupView* group = map ? map->group(GroupId(stripe.group())) : nullptr;
  if (group == nullptr) co_return Result<>{};
  std::vector<Task<>> frees;
  for (size_t i = 0; i < group->blades.size(); ++i) {
    if (!io_.alive(group->blades[i])) continue;
    frees.push_back(
        io_.free(group->blades[i], {ShardId{StripeId(stripe.id()), static_cast<uint8_t>(i)}}));
  }
  for (const auto& freed : co_await when_all(std::move(frees))) {
    if (!freed.ok()) log::debug("stripe {} discarded: {}", stripe.id(), freed.error().text());
  }
  co_return Result<>{};
}

namespace {

std::vector<Buffer> slice_of(const std::vector<Buffer>& data, uint64_t offset, uint64_t size) {
  std::vector<Buffer> result;
  for (const Buffer& buffer : data) {
    if (size == 0) break;
    if (offset >= buffer.size()) {
      offset -= buffer.size();
      continue;
    }
    const uint64_t part = std::min<uint64_t>(size, buffer.size() - offset);
    result.push_back(buffer.slice(offset, part));
    offset = 0;
    size -= part;
  }
  return result;
}

}  // namespace

Task<std::vector<proto::NewStripe>> write_stripes(StripeWriter& writer, PartitionId home,
                                                  std::vector<Buffer> data) {
  const uint64_t total = total_bytes(data);
  std::vector<proto::NewStripe> stripes;
  uint64_t done = 0;
  while (done < total) {
    const uint64_t size = std::min<uint64_t>(total - done, writer.stripe_bytes_max());
    auto stripe = co_await writer.write(home, slice_of(data, done, size));
    // stripe_bytes_max() has shrunk by then, so this ends: layouts only get narrower.
    if (stripe.failed_with(Errc::too_large) && writer.stripe_bytes_max() < size) continue;
    if (!stripe.ok()) co_return fail(std::move(stripe).error());
    stripes.push_back(std::move(*stripe));
    done += size;
  }
  co_return stripes;
}

}  // namespace turbine::stripe
