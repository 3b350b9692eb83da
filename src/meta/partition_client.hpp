// PartitionClient: calls to whichever blade serves a partition, retried within a budget.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/task.hpp"
#include "cluster/cluster_map.hpp"
#include "rpc/rpc.hpp"
#include "rpc/typed.hpp"

namespace turbine::meta {

/// R of the design: a request that its gateway received longer ago than this is never sent and is
/// refused by partitions, which therefore may forget its answer some time after.
inline constexpr Duration kRequestAgeMax = std::chrono::seconds(30);

struct PartitionClientOptions {
  Duration budget = std::chrono::milliseconds(1500);       // of one call, counted from `received`
  Duration fail_over_budget = std::chrono::seconds(10);    // where another replica may take over
  Duration dead_wait = std::chrono::milliseconds(300);     // for a newer map when the blade is dead
  Duration attempt = std::chrono::milliseconds(1000);      // deadline of one try
  Duration back_off = std::chrono::milliseconds(10);       // doubled per try …
  Duration back_off_max = std::chrono::milliseconds(160);  // … up to this
};

/// Sends requests of the partition service to the primary that the newest map names. A try that
/// ends with wrong_primary, unavailable, busy or timeout is repeated, with the same request id,
/// after a newer map or a short back-off. One per process and reactor; `map` and `transport`
/// outlive it; calls in flight keep what they need alive.
class PartitionClient {
 public:
  PartitionClient(Clock& clock, rpc::Transport& transport, cluster::MapHolder& map,
                  PartitionClientOptions options = {});

  /// `id`: {} for reads; for mutations the operation's, so that it runs once however often it is
  /// sent. `received`: when the gateway got the client's request; older than kRequestAgeMax is not
  /// sent. Errc::unavailable: certainly not executed. Errc::timeout: the outcome is not known.
  /// Other errors are the partition's answer, and no try was executed or will be. `budget`: in
  /// place of both of the options'.
  template <class Reply, class Body>
  Task<rpc::With<Reply>> call(PartitionId partition, int type, Body body, Buffer payload,
                              RequestId id, TimePoint received,
                              std::optional<Duration> budget = {}) {
    rpc::Request request;
    request.type = static_cast<uint16_t>(type);
    request.id = id;
    request.body = body.SerializeAsString();
    request.payload = std::move(payload);
    return parse<Reply>(send(state_, partition, std::move(request), received, budget), partition,
                        type);
  }

  /// One try at the blade itself, for calls that are not about one partition (sessions).
  template <class Reply, class Body>
  Task<rpc::With<Reply>> call_blade(BladeId blade, int type, Body body, Duration patience) {
    rpc::Request request;
    request.type = static_cast<uint16_t>(type);
    request.body = body.SerializeAsString();
    return parse<Reply>(
        send_to_blade(state_, blade, std::move(request), state_->clock.now() + patience),
        PartitionId(0), type);
  }

  /// One try at the blade, with a message that is serialised already.
  Task<rpc::Reply> call_raw(BladeId blade, rpc::Request request, TimePoint deadline) {
    return send_to_blade(state_, blade, std::move(request), deadline);
  }

  /// What a call gets that names none: time for a fail-over where there is another replica.
  Duration budget(PartitionId partition) const { return budget_of(*state_, partition); }

  /// Tries beyond the first since the start.
  uint64_t retries() const { return state_->retries; }

 private:
  struct State {
    State(Clock& c, rpc::Transport& t, cluster::MapHolder& m, PartitionClientOptions o)
        : clock(c), transport(t), map(m), options(o) {}
    Clock& clock;
    rpc::Transport& transport;
    cluster::MapHolder& map;
    PartitionClientOptions options;
    std::map<BladeId, std::shared_ptr<rpc::Channel>> channels;
    std::vector<OneShot<>> map_waiters;
    uint64_t retries = 0;
  };
  using StatePtr = std::shared_ptr<State>;

  static Task<rpc::Reply> send(StatePtr state, PartitionId partition, rpc::Request request,
                               TimePoint received, std::optional<Duration> budget);
  static Duration budget_of(const State& state, PartitionId partition);
  /// Until when it is worth trying, by the newest map.
  static TimePoint deadline_of(const State& state, PartitionId partition, TimePoint received,
                               std::optional<Duration> budget);
  static Task<rpc::Reply> send_to_blade(StatePtr state, BladeId blade, rpc::Request request,
                                        TimePoint deadline);
  static std::shared_ptr<rpc::Channel> channel(State& state, const proto::Blade& blade);
  static Task<> wait_for_map(StatePtr state, cluster::MapPtr than, TimePoint until);

  template <class Reply>
  static Task<rpc::With<Reply>> parse(Task<rpc::Reply> sent, PartitionId partition, int type) {
    rpc::Reply reply = CO_TRY(co_await std::move(sent));
    rpc::With<Reply> result;
    if (!result.body.ParseFromString(reply.body)) {
      co_return fail(Errc::corrupt, "reply of type {} from partition {} does not parse", type,
                     partition);
    }
    result.payload = std::move(reply.payload);
    co_return result;
  }

  StatePtr state_;
};

}  // namespace turbine::meta
