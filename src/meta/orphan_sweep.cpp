#include "meta/orphan_sweep.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "proto/meta.pb.h"
#include "proto/rpc.pb.h"

namespace turbine::meta {
namespace {

constexpr size_t kWalkBatch = 512;
constexpr size_t kFreedAtOnce = 256;

}  // namespace

Task<> OrphanSweep::run_once(bool space_is_short) {
  Suspects seen;
  disowned_.clear();
  std::optional<ShardId> after;
  while (!stopped_) {
    const auto infos = store_.list(after, kWalkBatch);
    if (infos.empty()) break;
    after = infos.back().shard;
    std::map<PartitionId, std::vector<ShardId>> by_home;
    for (const chunk::ShardInfo& info : infos) {
      by_home[info.shard.stripe.home()].push_back(info.shard);
    }
    for (auto& [home, shards] : by_home) {
      if (stopped_) break;
      const Result<> judged = co_await judge(std::move(shards), seen);
      if (!judged.ok()) log::debug("orphan sweep: partition {}: {}", home, judged.error().text());
    }
  }
  if (stopped_) co_return fail(Errc::closed, "the orphan sweep was stopped");
  suspects_ = std::move(seen);
  co_return co_await free_what_waited(space_is_short);
}

Task<> OrphanSweep::judge(std::vector<ShardId> shards, Suspects& seen) {
  proto::StripeLivenessRequest request;
  const PartitionId home = shards.front().stripe.home();
  request.set_partition(home.value);
  for (const ShardId& shard : shards) request.add_stripes(shard.stripe.value);
  const auto reply = co_await client_.call<proto::StripeLivenessReply>(
      home, proto::STRIPE_LIVENESS, std::move(request), {}, {}, clock_.now());
  const bool answered =
      reply.ok() && static_cast<size_t>(reply->body.disowned_size()) == shards.size();
  for (size_t i = 0; i < shards.size(); ++i) {
    const auto suspect = suspects_.find(shards[i]);
    if (answered && !reply->body.disowned(static_cast<int>(i))) continue;
    if (answered) disowned_.push_back(shards[i]);
    if (answered || suspect != suspects_.end()) {
      seen.emplace(shards[i], suspect != suspects_.end() ? suspect->second : clock_.now());
    }
  }
  if (!reply.ok()) co_return fail(reply.error());
  if (!answered) {
    co_return fail(Errc::corrupt, "{} answers for {} stripes", reply->body.disowned_size(),
                   shards.size());
  }
  co_return Result<>{};
}

Task<> OrphanSweep::free_what_waited(bool space_is_short) {
  const Duration quarantine =
      space_is_short ? options_.quarantine_short_of_space : options_.quarantine;
  std::vector<ShardId> due;
  for (const ShardId& shard : disowned_) {
    if (clock_.now() - suspects_.at(shard) >= quarantine) due.push_back(shard);
  }
  const uint64_t allowed = std::max(
      options_.freed_always_ok, store_.capacity().shard_count * options_.freed_percent_max / 100);
  if (due.size() > allowed) {
    log::error(
        "orphan sweep: {} of {} shards are disowned, more than {} %: nothing is freed; "
        "check the metadata",
        due.size(), store_.capacity().shard_count, options_.freed_percent_max);
    co_return fail(Errc::conflict, "{} shards are disowned, too many to be true", due.size());
  }
  for (size_t at = 0; at < due.size(); at += kFreedAtOnce) {
    const auto begin = due.begin() + static_cast<ptrdiff_t>(at);
    const auto end = due.begin() + static_cast<ptrdiff_t>(std::min(due.size(), at + kFreedAtOnce));
    CO_TRY(co_await store_.free(std::vector<ShardId>(begin, end)));
    for (auto it = begin; it != end; ++it) suspects_.erase(*it);
    freed_ += static_cast<uint64_t>(end - begin);
  }
  co_return Result<>{};
}

}  // namespace turbine::meta
