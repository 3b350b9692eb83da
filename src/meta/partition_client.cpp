#include "meta/partition_client.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "proto/rpc.pb.h"

namespace turbine::meta {
namespace {

bool worth_another_try(Errc code) {
  return code == Errc::wrong_primary || code == Errc::unavailable || code == Errc::timeout ||
         code == Errc::busy || code == Errc::closed;
}

/// Primaries remember that they answered so (`Duplicates`): every copy that comes later gets the
/// same answer, and later primaries refuse copies that were sent before they led.
bool is_remembered(Errc code) {
  return code == Errc::precondition_failed || code == Errc::not_found || code == Errc::exists ||
         code == Errc::not_empty || code == Errc::quota_exceeded;
}

uint32_t age_ms(TimePoint now, TimePoint received) {
  using std::chrono::milliseconds;
  const auto age = std::chrono::ceil<milliseconds>(std::max(now - received, Duration(0)));
  return static_cast<uint32_t>(std::min<int64_t>(age.count(), UINT32_MAX));
}

}  // namespace

PartitionClient::PartitionClient(Clock& clock, rpc::Transport& transport, cluster::MapHolder& map,
                                 PartitionClientOptions options)
    : state_(std::make_shared<State>(clock, transport, map, options)) {
  map.observe([weak = std::weak_ptr<State>(state_)](const cluster::MapPtr&) {
    const StatePtr state = weak.lock();
    if (!state) return;
    auto waiters = std::exchange(state->map_waiters, {});
    for (auto& waiter : waiters) waiter.set({});
  });
}

std::shared_ptr<rpc::Channel> PartitionClient::channel(State& state, const proto::Blade& blade) {
  auto& held = state.channels[BladeId(blade.id())];
  if (!held || held->address() != blade.address()) held = state.transport.channel(blade.address());
  return held;
}

// Returns at `until` or when a map newer than `than` is there.
Task<> PartitionClient::wait_for_map(StatePtr state, cluster::MapPtr than, TimePoint until) {
  while (state->map.get() == than && state->clock.now() < until) {
    auto& waiters = state->map_waiters;
    std::erase_if(waiters, [](const OneShot<>& waiter) { return waiter.is_set(); });
    OneShot<> changed(state->clock.executor());
    waiters.push_back(changed);
    if (!(co_await changed.wait_until(state->clock, until)).ok()) break;
  }
  co_return Result<>{};
}

Duration PartitionClient::budget_of(const State& state, PartitionId partition) {
  const cluster::MapPtr map = state.map.get();
  const proto::Partition* config = map ? map->partition(partition) : nullptr;
  const bool replicated =
      config != nullptr && std::max(config->wanted_size(), config->replicas_size()) > 1;
  return replicated ? state.options.fail_over_budget : state.options.budget;
}

TimePoint PartitionClient::deadline_of(const State& state, PartitionId partition,
                                       TimePoint received, std::optional<Duration> budget) {
  return received + std::min(budget.value_or(budget_of(state, partition)), kRequestAgeMax);
}

Task<rpc::Reply> PartitionClient::send(StatePtr state, PartitionId partition, rpc::Request request,
                                       TimePoint received, std::optional<Duration> budget) {
  const PartitionClientOptions& options = state->options;
  const bool mutation = request.id != RequestId{};
  Duration back_off = options.back_off;
  std::set<BladeId> unanswered;  // by these; what they were sent may be done, or yet be done
  std::optional<TimePoint> dead_until;
  Error last{Errc::unavailable, "no try was made in time"};
  TimePoint deadline{};
  for (int tries = 0;; ++tries) {
    // A fail-over that leaves one replica is given its time as well.
    deadline = std::max(deadline, deadline_of(*state, partition, received, budget));
    if (state->clock.now() >= deadline) break;
    if (tries > 0) ++state->retries;
    const cluster::MapPtr map = state->map.get();
    const BladeId primary = map ? map->primary(partition) : BladeId(0);
    const proto::Blade* blade = map && primary.value != 0 ? map->blade(primary) : nullptr;
    if (blade == nullptr || !map->alive(primary)) {
      last = {Errc::unavailable,
              primary.value == 0
                  ? fmt::format("partition {} has no blade in the map", partition)
                  : fmt::format("partition {} lives on blade {}, which is dead: start it again",
                                partition, primary)};
      const bool hopeless = map == nullptr || map->live_replicas(partition) == 0;
      if (!dead_until) dead_until = state->clock.now() + options.dead_wait;
      CO_TRY(
          co_await wait_for_map(state, map, hopeless ? std::min(deadline, *dead_until) : deadline));
      if (state->map.get() == map) break;
      continue;
    }
    rpc::Request copy = request;
    copy.epoch = map->epoch();
    copy.age_ms = age_ms(state->clock.now(), received);
    const auto way = channel(*state, *blade);
    const TimePoint until = std::min(deadline, state->clock.now() + options.attempt);
    auto reply = co_await way->call(std::move(copy), until);
    if (reply.ok()) co_return reply;
    last = std::move(reply).error();
    if (!worth_another_try(last.code)) {
      // Who leads now and refuses has no entry of what an earlier primary was sent, so nobody will
      // ever have. Of an earlier try of its own, still on its way, that is not certain.
      const bool settled = !unanswered.contains(primary) || is_remembered(last.code);
      if (mutation && !settled) last.code = Errc::timeout;
      co_return fail(std::move(last));
    }
    // Who prepares holds locks, for which those may wait whose locks it waits for: it lets go of
    // all, and the whole operation is tried again.
    if (last.code == Errc::busy && request.type == proto::TXN_PREPARE)
      co_return fail(std::move(last));
    if (last.code == Errc::timeout) unanswered.insert(primary);
    if (last.code == Errc::closed) last.code = Errc::unavailable;
    const TimePoint retry_at = std::min(deadline, state->clock.now() + back_off);
    back_off = std::min(back_off * 2, options.back_off_max);
    CO_TRY(co_await wait_for_map(state, map, retry_at));
  }
  // A partition's own way to say "not now" is no answer to a front-end.
  if (last.code != Errc::timeout && last.code != Errc::busy) last.code = Errc::unavailable;
  if (mutation && !unanswered.empty()) last.code = Errc::timeout;
  co_return fail(last.within(fmt::format("partition {}", partition)));
}

Task<rpc::Reply> PartitionClient::send_to_blade(StatePtr state, BladeId id, rpc::Request request,
                                                TimePoint deadline) {
  const cluster::MapPtr map = state->map.get();
  const proto::Blade* blade = map ? map->blade(id) : nullptr;
  if (blade == nullptr || !map->alive(id))
    co_return fail(Errc::unavailable, "blade {} is dead", id);
  request.epoch = map->epoch();
  co_return co_await channel(*state, *blade)->call(std::move(request), deadline);
}

}  // namespace turbine::meta
