#include "stripe/repair.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/async.hpp"
#include "erasure/erasure.hpp"

namespace turbine::stripe {
namespace {

enum class State { unread, good, lost, unreachable };

struct Shards {
  std::vector<State> states;
  std::vector<Buffer> data;
};

State judge(Errc code) {
  const bool lost = code == Errc::not_found || code == Errc::corrupt || code == Errc::io;
  return lost ? State::lost : State::unreachable;
}

// Reads the shards `indexes` that are still unread, all at once.
Task<> read_shards(StripeId id, uint32_t shard_bytes, const cluster::GroupView& group, ShardIo& io,
                   std::vector<uint32_t> indexes, Shards& shards) {
  std::vector<Task<Buffer>> reads;
  std::vector<uint32_t> asked;
  for (const uint32_t index : indexes) {
    if (shards.states[index] != State::unread) continue;
    if (!io.alive(group.blades[index])) {
      shards.states[index] = State::unreachable;
      continue;
    }
    asked.push_back(index);
    reads.push_back(
        io.read(group.blades[index], {id, static_cast<uint8_t>(index)}, 0, shard_bytes));
  }
  auto results = co_await when_all(std::move(reads));
  for (size_t i = 0; i < asked.size(); ++i) {
    const uint32_t index = asked[i];
    shards.states[index] = results[i].ok() ? State::good : judge(results[i].error().code);
    if (results[i].ok()) shards.data[index] = std::move(*results[i]);
  }
  co_return Result<>{};
}

// Puts one shard; a higher generation when its blade holds other bytes under this one, as it does
// after repairs that nobody could note down. However many those were, doubled steps get past them.
Task<uint64_t> put_shard(ShardId shard, const cluster::GroupView& group, ShardIo& io,
                         uint64_t generation, Buffer data) {
  constexpr int kTries = 16;
  uint64_t step = 1;
  for (int tries = 1;; ++tries, generation += step, step *= 2) {
    const auto put = co_await io.put(group.blades[shard.index], shard, group.id, group.version,
                                     generation, data);
    if (put.ok()) co_return generation;
    if (!put.failed_with(Errc::conflict) || tries == kTries) co_return fail(put.error());
  }
}

Result<> reconstruct(const cluster::GroupView& group, uint32_t shard_bytes,
                     const std::vector<uint32_t>& lost, Shards& shards) {
  std::vector<erasure::Codec::Present> present;
  for (size_t i = 0; i < shards.states.size(); ++i) {
    if (shards.states[i] != State::good) continue;
    present.push_back({static_cast<int>(i), shards.data[i].data()});
  }
  present.resize(std::min(present.size(), static_cast<size_t>(group.data_count)));
  std::vector<erasure::Codec::Wanted> wanted;
  for (const uint32_t index : lost) {
    shards.data[index] = Buffer::allocate(shard_bytes);
    wanted.push_back({static_cast<int>(index), shards.data[index].data()});
  }
  return erasure::codec_for(group.data_count, group.parity_count)
      ->reconstruct(present, wanted, shard_bytes);
}

}  // namespace

Task<RepairOutcome> repair_stripe(proto::Stripe stripe, cluster::GroupView group, ShardIo& io,
                                  std::vector<uint32_t> suspects) {
  const StripeId id(stripe.id());
  const auto n = static_cast<uint32_t>(group.blades.size());
  const auto k = static_cast<ptrdiff_t>(group.data_count);
  const uint32_t shard_bytes = stripe.shard_bytes();
  std::vector<uint32_t> all(n);
  std::iota(all.begin(), all.end(), 0U);
  std::erase_if(suspects, [n](uint32_t index) { return index >= n; });
  if (suspects.empty()) suspects = all;
  Shards shards{std::vector(n, State::unread), std::vector<Buffer>(n)};
  CO_TRY(co_await read_shards(id, shard_bytes, group, io, suspects, shards));

  RepairOutcome outcome;
  outcome.generation = std::max<uint64_t>(stripe.generation(), 1);
  std::vector<uint32_t> lost;
  for (const uint32_t index : suspects) {
    if (shards.states[index] == State::lost) lost.push_back(index);
    if (shards.states[index] == State::unreachable) outcome.unreachable.push_back(index);
  }
  if (lost.empty()) co_return outcome;

  CO_TRY(co_await read_shards(id, shard_bytes, group, io, all, shards));
  const auto good = std::ranges::count(shards.states, State::good);
  if (good < k) {
    const auto unreachable = std::ranges::count(shards.states, State::unreachable);
    co_return fail(good + unreachable >= k ? Errc::unavailable : Errc::io,
                   "stripe {}: {} good shards, {} out of reach, {} are needed for repair", id, good,
                   unreachable, k);
  }
  // Reading all has judged the others too.
  lost.clear();
  for (uint32_t i = 0; i < n; ++i) {
    if (shards.states[i] == State::lost) lost.push_back(i);
  }
  CO_TRY(reconstruct(group, shard_bytes, lost, shards));
  const uint64_t generation = outcome.generation + 1;
  std::vector<Task<uint64_t>> puts;
  for (const uint32_t index : lost) {
    const ShardId shard{id, static_cast<uint8_t>(index)};
    puts.push_back(put_shard(shard, group, io, generation, std::move(shards.data[index])));
  }
  const auto results = co_await when_all(std::move(puts));
  for (size_t i = 0; i < lost.size(); ++i) {
    if (!results[i].ok()) co_return fail(results[i].error());
    outcome.repaired.push_back(lost[i]);
    outcome.generation = std::max(outcome.generation, *results[i]);
  }
  co_return outcome;
}

}  // namespace turbine::stripe
