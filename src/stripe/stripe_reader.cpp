#include "stripe/stripe_reader.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/async.hpp"
#include "erasure/erasure.hpp"

namespace turbine::stripe {

// One shard's bytes [offset, offset + size) on their way.
struct GroupStripeReader::Fetch {
  int index = 0;
  uint32_t offset = 0, size = 0;
  int started_at_tick = 0;
  std::optional<Result<Buffer>> result;

  bool covers(uint32_t from, uint32_t bytes) const {
    return offset <= from && from + bytes <= offset + size;
  }
};

// The part of the answer that lies in one data shard.
struct GroupStripeReader::Piece {
  int index = 0;
  uint32_t offset = 0, size = 0;
  std::shared_ptr<Fetch> fetch;  // of the shard itself; null when its blade is dead
  std::optional<Buffer> data;
};

// One read(). Held by its coroutine and by the fetches it has started, which may outlast it.
struct GroupStripeReader::Operation {
  Operation(Executor executor, cluster::MapPtr m, const cluster::GroupView& g)
      : map(std::move(m)), group(g), changed(executor) {}
  cluster::MapPtr map;  // holds `group`
  const cluster::GroupView& group;
  StripeId stripe;
  uint32_t shard_bytes = 0;
  std::vector<Piece> pieces;
  std::vector<std::shared_ptr<Fetch>> fetches;
  int tick = 0;  // hedge periods passed
  TimerId hedge_timer;
  bool over = false;
  Event changed;
};

Result<GroupStripeReader::OperationPtr> GroupStripeReader::plan(const proto::Extent& extent,
                                                                uint64_t skip, uint64_t length) {
  cluster::MapPtr map = map_.get();
  const cluster::GroupView* group = map ? map->group(GroupId(extent.group())) : nullptr;
  if (group == nullptr) {
    return fail(Errc::unavailable, "stripe {}: placement group {} is not in the map",
                StripeId(extent.stripe()), extent.group());
  }
  const uint64_t from = extent.stripe_offset() + skip;
  const uint32_t shard_bytes = extent.shard_bytes();
  const uint64_t stripe_bytes = uint64_t{shard_bytes} * static_cast<uint64_t>(group->data_count);
  if (skip > extent.length() || length > extent.length() - skip || shard_bytes == 0 ||
      from + length > stripe_bytes) {
    return fail(Errc::invalid, "stripe {}: bytes {} to {} of {} were asked for",
                StripeId(extent.stripe()), from, from + length, stripe_bytes);
  }
  auto operation = std::make_shared<Operation>(clock_.executor(), map, *group);
  operation->stripe = StripeId(extent.stripe());
  operation->shard_bytes = shard_bytes;
  for (uint64_t at = from; at < from + length;) {
    Piece piece;
    piece.index = static_cast<int>(at / shard_bytes);
    piece.offset = static_cast<uint32_t>(at % shard_bytes);
    piece.size =
        static_cast<uint32_t>(std::min<uint64_t>(shard_bytes - piece.offset, from + length - at));
    at += piece.size;
    operation->pieces.push_back(std::move(piece));
  }
  return operation;
}

// What lies in one block is read with all of it: the blade does so anyway, and the next read may
// find it in memory.
void GroupStripeReader::widen_to_block(Fetch* fetch, uint32_t shard_bytes) {
  constexpr uint32_t kBlock = ShardCache::kBlockBytes;
  const uint32_t begin = fetch->offset / kBlock * kBlock;
  const uint32_t end = std::min(begin + kBlock, shard_bytes);
  if (fetch->offset + fetch->size > end) return;
  fetch->offset = begin;
  fetch->size = end - begin;
}

std::shared_ptr<GroupStripeReader::Fetch> GroupStripeReader::fetch(const OperationPtr& operation,
                                                                   int index, uint32_t offset,
                                                                   uint32_t size) {
  auto fetch = std::make_shared<Fetch>();
  fetch->index = index;
  fetch->offset = offset;
  fetch->size = size;
  fetch->started_at_tick = operation->tick;
  operation->fetches.push_back(fetch);
  Buffer cached = cache_.find({operation->stripe, static_cast<uint8_t>(index)}, offset, size);
  if (!cached.empty()) {
    ++counters_.cache_hits;
    fetch->result.emplace(std::move(cached));
  } else if (gate_.closing()) {
    fetch->result.emplace(fail(Errc::closed, "the stripe reader is stopping"));
  } else {
    ++counters_.shard_reads;
    if (options_.cache_bytes > 0) widen_to_block(fetch.get(), operation->shard_bytes);
    gate_.spawn("read shard", run_fetch(this, operation, fetch));
  }
  return fetch;
}

Task<> GroupStripeReader::run_fetch(GroupStripeReader* self, OperationPtr operation,
                                    std::shared_ptr<Fetch> fetch) {
  const ShardId shard{operation->stripe, static_cast<uint8_t>(fetch->index)};
  const BladeId blade = operation->group.blades[static_cast<size_t>(fetch->index)];
  auto data = co_await self->io_.read(blade, shard, fetch->offset, fetch->size);
  if (data.ok() && self->options_.cache_bytes > 0) {
    if (fetch->size == operation->shard_bytes) {
      self->cache_.add_whole(shard, *data);
    } else if (fetch->offset % ShardCache::kBlockBytes == 0 &&
               fetch->size <= ShardCache::kBlockBytes) {
      self->cache_.add_block(shard, fetch->offset, *data);
    }
  }
  fetch->result.emplace(std::move(data));
  operation->changed.notify_all();
  co_return Result<>{};
}

// After every period all fetches that were under way count as slow and others are started.
void GroupStripeReader::arm_hedge(const OperationPtr& operation) {
  operation->hedge_timer = clock_.call_at(clock_.now() + options_.hedge_after, [this, operation] {
    if (operation->over) return;
    ++operation->tick;
    operation->changed.notify_all();
    arm_hedge(operation);
  });
}

// Computes the piece when k shards are at hand, else sees to it that enough are on their way.
// False: not yet.
Result<bool> GroupStripeReader::reconstruct(const OperationPtr& operation, Piece& piece) {
  const cluster::GroupView& group = operation->group;
  const int k = group.data_count;
  const int n = k + group.parity_count;
  std::vector<erasure::Codec::Present> present;
  std::vector<bool> tried(static_cast<size_t>(n), false);
  tried[static_cast<size_t>(piece.index)] = true;
  int hoped = 0;
  bool waiting = piece.fetch && !piece.fetch->result.has_value();
  for (const auto& fetch : operation->fetches) {
    auto seen = tried[static_cast<size_t>(fetch->index)];
    if (seen || !fetch->covers(piece.offset, piece.size)) continue;
    seen = true;
    if (!fetch->result.has_value()) {
      waiting = true;
      if (fetch->started_at_tick == operation->tick) ++hoped;
    } else if (fetch->result->ok()) {
      const Buffer& data = **fetch->result;
      present.push_back({fetch->index, data.data() + (piece.offset - fetch->offset)});
    }
  }
  if (static_cast<int>(present.size()) >= k) {
    Buffer data = Buffer::allocate(piece.size);
    const erasure::Codec::Wanted wanted{piece.index, data.data()};
    present.resize(static_cast<size_t>(k));
    TRY(erasure::codec_for(k, group.parity_count)->reconstruct(present, {&wanted, 1}, piece.size));
    ++counters_.reconstructions;
    if (piece.fetch && !piece.fetch->result.has_value()) ++counters_.hedges;
    piece.data = std::move(data);
    return true;
  }
  bool come_at_once = false;
  int wanting = k - static_cast<int>(present.size()) - hoped;
  for (int i = 0; i < n && wanting > 0; ++i) {
    const auto at = static_cast<size_t>(i);
    if (tried[at] || !io_.alive(group.blades[at])) continue;
    come_at_once |= fetch(operation, i, piece.offset, piece.size)->result.has_value();
    waiting = true;
    --wanting;
  }
  if (come_at_once) return reconstruct(operation, piece);
  if (!waiting) return fail(why_lost(*operation));
  return false;
}

// Takes what has come. True when the answer is whole.
Result<bool> GroupStripeReader::progress(const OperationPtr& operation) {
  bool whole = true;
  for (Piece& piece : operation->pieces) {
    if (piece.data.has_value()) continue;
    const Fetch* own = piece.fetch.get();
    if (own != nullptr && own->result.has_value() && own->result->ok()) {
      piece.data = (**own->result).slice(piece.offset - own->offset, piece.size);
      continue;
    }
    const bool wait = own != nullptr && !own->result.has_value() && operation->tick == 0;
    if (wait || !TRY(reconstruct(operation, piece))) whole = false;
  }
  return whole;
}

Error GroupStripeReader::why_lost(const Operation& operation) const {
  int good = 0, absent = 0, unreachable = 0;
  for (size_t i = 0; i < operation.group.blades.size(); ++i) {
    const Fetch* last = nullptr;
    for (const auto& fetch : operation.fetches) {
      if (fetch->index == static_cast<int>(i) && fetch->result.has_value()) last = fetch.get();
    }
    if (last == nullptr) {
      ++unreachable;
    } else if (last->result->ok()) {
      ++good;
    } else {
      const Errc code = last->result->error().code;
      absent += code == Errc::not_found;
      unreachable += code == Errc::unavailable || code == Errc::timeout || code == Errc::closed;
    }
  }
  const std::string state =
      fmt::format("stripe {}: of {} shards {} are good, {} absent, {} out of reach; {} are needed",
                  operation.stripe, operation.group.blades.size(), good, absent, unreachable,
                  operation.group.data_count);
  if (good == 0 && absent > operation.group.parity_count) return {Errc::not_found, state};
  if (good + unreachable >= operation.group.data_count) return {Errc::unavailable, state};
  return {absent > 0 ? Errc::not_found : Errc::io, state};
}

void GroupStripeReader::report_lost(const Operation& operation) {
  std::vector<uint32_t> lost;
  for (const auto& fetch : operation.fetches) {
    if (!fetch->result.has_value() || fetch->result->ok()) continue;
    const Errc code = fetch->result->error().code;
    if (code != Errc::not_found && code != Errc::corrupt && code != Errc::io) continue;
    lost.push_back(static_cast<uint32_t>(fetch->index));
  }
  if (lost.empty() || !report_) return;
  std::ranges::sort(lost);
  lost.erase(std::ranges::unique(lost).begin(), lost.end());
  const TimePoint now = clock_.now();
  if (reported_.size() >= options_.reports_held_max) {
    std::erase_if(reported_, [&](const auto& entry) { return entry.second <= now; });
  }
  TimePoint& again_at = reported_[operation.stripe];
  if (again_at > now || reported_.size() > options_.reports_held_max) return;
  again_at = now + options_.report_every;
  ++counters_.reports;
  report_(operation.stripe, operation.group.id, std::move(lost));
}

Task<std::vector<Buffer>> GroupStripeReader::read(proto::Extent extent, uint64_t skip,
                                                  uint64_t length) {
  if (gate_.closing()) co_return fail(Errc::closed, "the stripe reader is stopping");
  const OperationPtr operation = CO_TRY(plan(extent, skip, length));
  for (Piece& piece : operation->pieces) {
    if (!io_.alive(operation->group.blades[static_cast<size_t>(piece.index)])) continue;
    piece.fetch = fetch(operation, piece.index, piece.offset, piece.size);
  }
  arm_hedge(operation);
  Result<bool> whole = progress(operation);
  while (whole.ok() && !*whole) {
    CO_TRY(co_await operation->changed.wait());
    whole = progress(operation);
  }
  operation->over = true;
  clock_.cancel(operation->hedge_timer);
  if (!whole.ok()) co_return fail(std::move(whole).error());
  report_lost(*operation);
  std::vector<Buffer> buffers;
  for (Piece& piece : operation->pieces) buffers.push_back(std::move(*piece.data));
  co_return buffers;
}

}  // namespace turbine::stripe
