// PartitionHost: sessions, transactions in doubt, reaping, freeing.
#include <algorithm>

#include "base/log.hpp"
#include "meta/operations.hpp"
#include "meta/partition_host.hpp"
#include "meta/transaction.hpp"
#include "proto/rpc.pb.h"

namespace turbine::meta {
namespace {

constexpr size_t kFreeBatch = 64;
constexpr size_t kReapBatch = 64;
constexpr uint32_t kTrimBatch = 256;
constexpr int64_t kTombstoneNs = 600'000'000'000;
/// So long a listing may rest before it goes on at a name that is gone meanwhile.
constexpr int64_t kGoneCookieNs = 3'600'000'000'000;

Call local_call(PartitionPtr partition) {
  Call call;
  call.partition = std::move(partition);
  return call;
}

}  // namespace

Task<> PartitionHost::end_silent_sessions() {
  const TimePoint now = seams_.clock.now();
  std::vector<SessionId> ended;
  for (const auto& [session, heard] : sessions_) {
    if (session != options_.session && now - heard > options_.session_silence) {
      ended.push_back(session);
    }
  }
  for (const SessionId session : ended) {
    sessions_.erase(session);
    for (const PartitionPtr& partition : partitions()) {
      const Result<> done = co_await end_session_in(partition, session);
      if (!done.ok()) sessions_.try_emplace(session, now);  // again after another silence
    }
  }
  for (const PartitionPtr& partition : partitions()) {
    partition->pins().expire(now - options_.pin_age_max);
  }
  co_return co_await end_old_ranges();
}

/// A session that lives on keeps its ranges open; what it gave up of them would stay for ever.
Task<> PartitionHost::end_old_ranges() {
  const TimePoint now = seams_.clock.now();
  auto known = std::exchange(ranges_, {});
  for (const PartitionPtr& partition : partitions()) {
    proto::LogEntry entry;
    for (const auto& [first, session] : partition->image().ranges().all()) {
      const std::pair key(partition->id(), first);
      const auto found = known.find(key);
      const TimePoint since = found == known.end() ? now : found->second;
      ranges_.emplace(key, since);
      if (now - since < options_.range_age_max) continue;
      auto& end = *entry.add_mutations()->mutable_end_ranges();
      end.set_session(session.value);
      end.set_first(first);
    }
    if (entry.mutations_size() == 0) continue;
    const Result<> done = co_await partition->commit(std::move(entry));
    if (!done.ok()) log::debug("ranges of partition {}: {}", partition->id(), done.error().text());
  }
  co_return Result<>{};
}

Task<> PartitionHost::end_session_in(PartitionPtr partition, SessionId session) {
  partition->pins().end_session(session);
  if (partition->image().ranges().count(session) > 0) {
    proto::LogEntry entry;
    entry.add_mutations()->mutable_end_ranges()->set_session(session.value);
    CO_TRY(co_await partition->commit(std::move(entry)));
  }
  proto::ReapInodesRequest request;
  const Keys& keys = partition->keys();
  const std::string first = keys.hidden(session, InodeId{});
  auto it = partition->kv().scan(first, prefix_end(std::string_view(first).substr(0, 11)));
  for (; it->valid(); it->next()) request.add_inodes(number_in_key(it->key(), 1));
  CO_TRY(it->status());
  if (request.inodes_size() == 0) co_return Result<>{};
  CO_TRY(co_await reap_inodes(local_call(partition), std::move(request)));
  co_return Result<>{};
}

Task<> PartitionHost::settle_transactions() {
  for (const PartitionPtr& partition : partitions()) {
    const Result<> done = co_await settle_partition(partition);
    if (!done.ok()) {
      log::debug("transactions of partition {}: {}", partition->id(), done.error().text());
    }
  }
  co_return Result<>{};
}

Task<> PartitionHost::settle_partition(PartitionPtr partition) {
  const TimePoint now = seams_.clock.now();
  for (auto& [key, prepared] : partition->prepared()) {
    if (prepared.finishing || now - prepared.since < options_.in_doubt_after) continue;
    prepared.since = now;
    gate_.spawn("resolve intent", resolve_intent(partition, key));
  }
  for (const auto& [key, decision] : partition->image().decisions()) {
    if (decision.steps_size() == 0 || partition->finishing_decisions().contains(key)) continue;
    const auto& settled = partition->settled_decisions();
    const bool known = std::ranges::any_of(
        settled, [&](const proto::TxnId& id) { return partition->keys().decision(id) == key; });
    if (known) continue;
    partition->finishing_decisions().insert(key);
    gate_.spawn("finish decision", finish_decision(partition, decision));
  }
  proto::LogEntry entry;
  for (proto::TxnId& id : std::exchange(partition->settled_decisions(), {})) {
    *entry.add_mutations()->mutable_forget_decision() = std::move(id);
  }
  const int64_t wall = seams_.clock.wall_now().ns;
  for (const auto& [key, decision] : partition->image().decisions()) {
    if (decision.steps_size() == 0 && decision.time_ns() + kTombstoneNs < wall) {
      *entry.add_mutations()->mutable_forget_decision() = decision.id();
    }
  }
  // Time runs with the entries: an idle partition keeps its records.
  const auto oldest = partition->image().oldest_replay_bucket();
  const auto expired = partition->expired_replay_bucket(options_.replay_window);
  if (oldest.has_value() && expired.has_value() && *oldest + 1 < *expired) {
    entry.add_mutations()->set_drop_replay_below(*expired);
  }
  if (const auto gone = partition->scan_queue(Kind::gone_cookie); gone != nullptr) {
    const int64_t before = wall - kGoneCookieNs;
    if (gone->valid() && static_cast<int64_t>(number_in_key(gone->key())) < before) {
      entry.add_mutations()->set_drop_cookies_before_ns(before);
    }
    CO_TRY(gone->status());
  }
  if (entry.mutations_size() == 0) co_return Result<>{};
  co_return co_await partition->commit(std::move(entry));
}

Task<> PartitionHost::reap() {
  for (const PartitionPtr& partition : partitions()) {
    const Result<> done = co_await reap_of(partition);
    if (!done.ok())
      log::debug("reaping for partition {}: {}", partition->id(), done.error().text());
  }
  co_return Result<>{};
}

Task<> PartitionHost::reap_of(PartitionPtr partition) {
  // A reader that an earlier primary knew may hold the object that these were parts of.
  if (seams_.clock.now() - partition->led_since() < options_.session_silence) co_return Result<>{};
  std::map<PartitionId, proto::ReapInodesRequest> requests;
  {
    const auto it = partition->scan_queue(Kind::reap_queue);
    if (it == nullptr) co_return Result<>{};
    for (size_t count = 0; it->valid() && count < kReapBatch; it->next(), ++count) {
      const InodeId id(number_in_key(it->key()));
      // A reader may still hold the object that this was a part of.
      if (partition->pins().size() > 0) break;
      requests[id.partition()].add_inodes(id.value);
    }
    CO_TRY(it->status());
  }
  for (auto& [target, request] : requests) {
    proto::LogEntry entry;
    *entry.add_mutations()->mutable_reaped()->mutable_inodes() = request.inodes();
    if (target == partition->id()) {
      CO_TRY(co_await reap_inodes(local_call(partition), std::move(request)));
    } else {
      const auto reply = co_await seams_.client.call<proto::ReapInodesReply>(
          target, proto::REAP_INODES, std::move(request), {}, {}, seams_.clock.now());
      if (!reply.ok()) continue;
    }
    CO_TRY(co_await partition->commit(std::move(entry)));
  }
  co_return Result<>{};
}

Task<> PartitionHost::free_stripes(bool space_is_short) {
  for (const PartitionPtr& partition : partitions()) {
    // Readers whose pins died with the primary before this one are given time.
    const Duration led = seams_.clock.now() - partition->led_since();
    if (led < options_.session_silence && !space_is_short) continue;
    Result<> done = co_await trim_trash_of(partition);
    if (done.ok()) done = co_await free_stripes_of(partition, space_is_short);
    if (!done.ok()) {
      log::debug("freeing in partition {}: {}", partition->id(), done.error().text());
    }
  }
  co_return Result<>{};
}

Task<> PartitionHost::trim_trash_of(PartitionPtr partition) {
  const int64_t grace = std::chrono::nanoseconds(options_.grace).count();
  const int64_t wall = seams_.clock.wall_now().ns;
  std::vector<uint64_t> contents;
  {
    const auto it = partition->scan_queue(Kind::trash);
    if (it == nullptr) co_return Result<>{};
    for (; it->valid() && contents.size() < 4; it->next()) {
      const auto entry = CO_TRY(parse_record<proto::TrashEntry>(it->key(), it->value()));
      const uint64_t content = number_in_key(it->key());
      if (entry.time_ns() + grace <= wall && !partition->pins().holds(content)) {
        contents.push_back(content);
      }
    }
    CO_TRY(it->status());
  }
  for (const uint64_t content : contents) {
    proto::LogEntry entry;
    entry.add_mutations()->mutable_trim_content()->set_content(content);
    entry.mutable_mutations(0)->mutable_trim_content()->set_count(kTrimBatch);
    CO_TRY(co_await partition->commit(std::move(entry)));
  }
  co_return Result<>{};
}

Task<> PartitionHost::free_stripes_of(PartitionPtr partition, bool space_is_short) {
  const int64_t grace = space_is_short ? 0 : std::chrono::nanoseconds(options_.grace).count();
  const int64_t wall = seams_.clock.wall_now().ns;
  const uint64_t pinned_from = partition->pins().oldest_lsn();
  proto::LogEntry entry;
  auto& freed = *entry.add_mutations()->mutable_free_stripes();
  std::map<BladeId, std::vector<ShardId>> shards;
  {
    const cluster::MapPtr map = seams_.map.get();
    const Keys& keys = partition->keys();
    const auto it = partition->scan_queue(Kind::free_queue);
    if (it == nullptr) co_return Result<>{};
    for (; it->valid() && static_cast<size_t>(freed.stripes_size()) < kFreeBatch; it->next()) {
      const auto queued = CO_TRY(parse_record<proto::FreeQueueEntry>(it->key(), it->value()));
      if (queued.lsn() > pinned_from) continue;
      if (!queued.waited() && queued.time_ns() + grace > wall) continue;
      const StripeId id(number_in_key(it->key()));
      const auto stripe = CO_TRY(read_record<proto::Stripe>(partition->kv(), keys.stripe(id)));
      freed.add_stripes(id.value);
      if (!stripe.has_value()) continue;
      const cluster::GroupView* group = map->group(GroupId(stripe->group()));
      if (group == nullptr) continue;
      for (size_t i = 0; i < group->blades.size(); ++i) {
        shards[group->blades[i]].push_back({id, static_cast<uint8_t>(i)});
      }
    }
    CO_TRY(it->status());
  }
  if (freed.stripes_size() == 0) co_return Result<>{};
  // The record goes through the log first: from then on no repair puts a shard back. What a dead
  // blade keeps is left to the orphan sweep.
  CO_TRY(co_await partition->commit(std::move(entry)));
  std::vector<Task<>> frees;
  for (auto& [blade, ids] : shards) {
    if (seams_.shard_io.alive(blade)) frees.push_back(seams_.shard_io.free(blade, std::move(ids)));
  }
  (void)co_await when_all(std::move(frees));
  co_return Result<>{};
}

}  // namespace turbine::meta
