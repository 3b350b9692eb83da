// What other blades ask of this one's replicas.
#include <algorithm>

#include "proto/rpc.pb.h"
#include "replica/replica_set.hpp"

namespace turbine::replica {
namespace {

constexpr auto kMapWait = std::chrono::milliseconds(500);
constexpr auto kMapPoll = std::chrono::milliseconds(5);
constexpr auto kOvertakenWait = std::chrono::milliseconds(50);

}  // namespace

/// The replica, in the sender's term, which its map has told it a moment earlier perhaps.
Task<std::shared_ptr<Replica>> ReplicaSet::admit(PartitionId id, Term term, BladeId from) {
  const TimePoint until = seams_.clock.now() + kMapWait;
  for (;;) {
    if (stopping_ || journal_ == nullptr) co_return fail(Errc::unavailable, "not serving");
    const std::shared_ptr<Replica> replica = find(id);
    if (replica != nullptr && replica->term() >= term) {
      if (replica->term() == term && replica->config().primary() == from.value) co_return replica;
      co_return fail(Errc::stale_epoch, "partition {} is in term {}; blade {} speaks for term {}",
                     id, replica->term(), from, term);
    }
    if (seams_.clock.now() >= until) {
      co_return fail(Errc::unavailable, "blade {} has not heard of term {} of partition {}",
                     options_.self, term, id);
    }
    CO_TRY(co_await seams_.clock.sleep_for(kMapPoll));
  }
}

auto ReplicaSet::on_beacon(proto::ReplicaBeaconRequest request)
    -> Answer<proto::ReplicaBeaconReply> {
  rpc::With<proto::ReplicaBeaconReply> reply;
  for (const proto::ReplicaLease& lease : request.leases()) {
    const auto replica = find(PartitionId(lease.partition()));
    const bool granted =
        replica != nullptr && !stopping_ && replica->grant(BladeId(request.blade()), lease);
    reply.body.add_granted(granted);
    reply.body.add_out_of_step(granted && lease.number() != 0 && !replica->in_step(lease));
  }
  co_return reply;
}

auto ReplicaSet::on_state(proto::ReplicaStateRequest request) -> Answer<proto::ReplicaStateReply> {
  const auto replica = CO_TRY(co_await admit(PartitionId(request.partition()), Term(request.term()),
                                             BladeId(request.blade())));
  rpc::With<proto::ReplicaStateReply> reply;
  reply.body = replica->state();
  co_return reply;
}

auto ReplicaSet::on_sync(proto::ReplicaSyncRequest request) -> Answer<proto::ReplicaSyncReply> {
  const auto replica = CO_TRY(co_await admit(PartitionId(request.partition()), Term(request.term()),
                                             BladeId(request.blade())));
  CO_TRY(co_await replica->cut(request.number(), Lsn(request.cut_after())));
  co_return rpc::With<proto::ReplicaSyncReply>{};
}

auto ReplicaSet::on_append(proto::ReplicaAppendRequest request, Buffer payload)
    -> Answer<proto::ReplicaAppendReply> {
  rpc::With<proto::ReplicaAppendReply> reply;
  if (stopping_ || journal_ == nullptr) co_return fail(Errc::unavailable, "not serving");
  std::string_view bytes = payload.text();
  std::vector<std::shared_ptr<Replica>> replicas;
  bool appended = false;
  for (const proto::ReplicaRun& run : request.runs()) {
    uint64_t size = 0;
    for (const uint32_t each : run.sizes()) size += each;
    if (run.sizes_size() != run.terms_size() || size > bytes.size()) {
      co_return fail(Errc::invalid, "a run of log entries does not fit its payload");
    }
    const auto replica = find(PartitionId(run.partition()));
    if (replica != nullptr && replica->lacks_before(run)) {
      CO_TRY(co_await replica->wait_for_run_before(run, seams_.clock.now() + kOvertakenWait));
    }
    const Errc taken = replica == nullptr ? Errc::stale_epoch
                                          : replica->take(run, bytes.substr(0, size), &appended);
    bytes.remove_prefix(size);
    replicas.push_back(replica);
    reply.body.add_runs()->set_error_code(static_cast<int>(taken));
  }
  // One flush of the journal covers them all: the last append is durable after all others.
  const Lsn nothing{};
  for (int i = 0; i < request.runs_size(); ++i) {
    proto::ReplicaRunReply& answer = *reply.body.mutable_runs(i);
    if (answer.error_code() != 0) continue;
    const auto& run = request.runs(i);
    const Lsn last(run.first_lsn() + static_cast<uint64_t>(run.terms_size()) - 1);
    const auto& replica = replicas[static_cast<size_t>(i)];
    if (!options_.plant.acknowledge_early) {
      const Result<> durable = co_await replica->wait_durable(last, Term(run.term()));
      if (!durable.ok()) {
        answer.set_error_code(static_cast<int>(durable.error().code));
        continue;
      }
    }
    answer.set_durable_lsn(std::max(last, nothing).value);
  }
  co_return reply;
}

auto ReplicaSet::on_snapshot(proto::ReplicaSnapshotRequest request)
    -> Answer<proto::ReplicaSnapshotReply> {
  const auto replica = CO_TRY(co_await admit(PartitionId(request.partition()), Term(request.term()),
                                             BladeId(request.blade())));
  CO_TRY(co_await replica->install(std::move(request)));
  co_return rpc::With<proto::ReplicaSnapshotReply>{};
}

void ReplicaSet::register_handlers(rpc::Dispatcher& dispatcher) {
  using Info = rpc::CallInfo;
  dispatcher.on<proto::ReplicaBeaconRequest, proto::ReplicaBeaconReply>(
      proto::REPLICA_BEACON,
      [this](proto::ReplicaBeaconRequest request, Info) { return on_beacon(std::move(request)); });
  dispatcher.on<proto::ReplicaStateRequest, proto::ReplicaStateReply>(
      proto::REPLICA_STATE,
      [this](proto::ReplicaStateRequest request, Info) { return on_state(std::move(request)); });
  dispatcher.on<proto::ReplicaSyncRequest, proto::ReplicaSyncReply>(
      proto::REPLICA_SYNC,
      [this](proto::ReplicaSyncRequest request, Info) { return on_sync(std::move(request)); });
  dispatcher.on<proto::ReplicaAppendRequest, proto::ReplicaAppendReply>(
      proto::REPLICA_APPEND, [this](proto::ReplicaAppendRequest request, Info info) {
        return on_append(std::move(request), std::move(info.payload));
      });
  dispatcher.on<proto::ReplicaSnapshotRequest, proto::ReplicaSnapshotReply>(
      proto::REPLICA_SNAPSHOT, [this](proto::ReplicaSnapshotRequest request, Info) {
        return on_snapshot(std::move(request));
      });
}

}  // namespace turbine::replica
