#include "meta/transaction.hpp"

#include <map>
#include <utility>

#include "base/log.hpp"
#include "meta/op_support.hpp"
#include "meta/partition_client.hpp"
#include "proto/rpc.pb.h"

namespace turbine::meta {
namespace {

Task<> send_finish(PartitionPtr coordinator, proto::TxnId id, proto::TxnStep step, bool commit) {
  proto::TxnFinishRequest request;
  id.set_step(step.step());
  *request.mutable_id() = id;
  request.set_partition(step.partition());
  request.set_commit(commit);
  CO_TRY(co_await coordinator->seams().client.call<proto::TxnFinishReply>(
      PartitionId(step.partition()), proto::TXN_FINISH, std::move(request), {}, {},
      coordinator->clock().now()));
  co_return Result<>{};
}

constexpr Duration kTellingMax = std::chrono::milliseconds(500);

Task<> tell(PartitionPtr coordinator, proto::Decision decision, OneShot<> told) {
  Result<> result = co_await finish_decision(std::move(coordinator), std::move(decision));
  told.set(result);
  co_return result;
}

}  // namespace

Transaction::Transaction(PartitionPtr coordinator, RequestId request, TimePoint received)
    : coordinator_(std::move(coordinator)), request_(request), received_(received) {
  id_.set_session(request.session.value);
  id_.set_sequence(request.sequence);
  id_.set_attempt(coordinator_->seams().rng.next());
  key_ = coordinator_->keys().decision(id_);
  coordinator_->active_transactions().insert(key_);
}

Transaction::~Transaction() {
  if (!ended_) abort();
}

Task<proto::SubResult> Transaction::prepare(PartitionId partition, proto::SubOperation operation) {
  if (partition == coordinator_->id()) {
    CO_TRY(co_await prepare_half(coordinator_, std::move(operation), false, &half_));
    co_return std::move(half_.result);
  }
  proto::TxnStep step;
  step.set_partition(partition.value);
  step.set_step(static_cast<uint32_t>(steps_.size()) + 1);
  steps_.push_back(step);
  proto::TxnPrepareRequest request;
  *request.mutable_id() = id_;
  request.mutable_id()->set_step(step.step());
  request.set_partition(partition.value);
  request.set_coordinator(coordinator_->id().value);
  *request.mutable_operation() = std::move(operation);
  auto reply = CO_TRY(co_await coordinator_->seams().client.call<proto::TxnPrepareReply>(
      partition, proto::TXN_PREPARE, std::move(request), {}, {}, received_));
  proto::SubResult& result = *reply.body.mutable_result();
  half_.charges.insert(half_.charges.end(), result.charges().begin(), result.charges().end());
  co_return std::move(result);
}

Task<> Transaction::charge_buckets() {
  std::map<std::pair<uint64_t, uint64_t>, int64_t> deltas;
  for (const proto::ChargeBucket& charge : std::exchange(half_.charges, {})) {
    deltas[{charge.bucket(), charge.generation()}] += charge.delta();
  }
  for (const auto& [key, delta] : deltas) {
    if (delta == 0) continue;
    proto::SubOperation operation;
    proto::ChargeBucket& charge = *operation.mutable_charge_bucket();
    charge.set_bucket(key.first);
    charge.set_generation(key.second);
    charge.set_delta(delta);
    CO_TRY(co_await prepare(InodeId(key.first).partition(), std::move(operation)));
  }
  co_return Result<>{};
}

Task<> Transaction::commit(const google::protobuf::MessageLite& reply, Image::Observed* observed) {
  return log_decision(request_.sequence != 0 ? reply.SerializeAsString() : std::string(), observed);
}

Task<> Transaction::commit_everywhere(const google::protobuf::MessageLite& reply,
                                      Image::Observed* observed) {
  wait_for_participants_ = true;
  return commit(reply, observed);
}

Task<> Transaction::log_decision(std::string reply, Image::Observed* observed) {
  CO_TRY(co_await charge_buckets());
  proto::LogEntry entry;
  entry.set_session(request_.session.value);
  entry.set_sequence(request_.sequence);
  entry.set_reply(std::move(reply));
  entry.mutable_mutations()->Swap(&half_.mutations);
  proto::Decision decision;
  if (!steps_.empty()) {
    *decision.mutable_id() = id_;
    decision.set_commit(true);
    decision.set_time_ns(coordinator_->time_after(0));
    for (const proto::TxnStep& step : steps_) *decision.add_steps() = step;
    *entry.add_mutations()->mutable_put_decision() = decision;
    coordinator_->finishing_decisions().insert(key_);
  }
  const Result<> logged = co_await coordinator_->commit(std::move(entry), observed);
  if (!logged.ok()) {
    coordinator_->finishing_decisions().erase(key_);
    if (logged.failed_with(Errc::timeout)) {
      // The journal failed: a restart tells whether it was decided. Nobody may be told "aborted".
      ended_ = true;
    }
    co_return logged;
  }
  ended_ = true;
  coordinator_->active_transactions().erase(key_);
  if (!steps_.empty()) {
    OneShot<> told(coordinator_->seams().executor);
    coordinator_->gate().spawn("finish decision", tell(coordinator_, decision, told));
    if (wait_for_participants_) {
      (void)co_await told.wait_until(coordinator_->clock(),
                                     coordinator_->clock().now() + kTellingMax);
    }
  }
  co_return Result<>{};
}

void Transaction::abort() {
  if (ended_) return;
  ended_ = true;
  coordinator_->active_transactions().erase(key_);
  for (const proto::TxnStep& step : steps_) {
    coordinator_->gate().spawn("abort transaction", send_finish(coordinator_, id_, step, false));
  }
}

Task<> commit_half(PartitionPtr partition, RequestId request, TimePoint received,
                   const google::protobuf::MessageLite& reply, Half* half,
                   Image::Observed* observed) {
  if (half->charges.empty()) {
    CO_TRY(co_await partition->commit(make_entry(request, reply, half), observed));
    co_return Result<>{};
  }
  Transaction txn(partition, request, received);
  txn.half() = std::move(*half);
  CO_TRY(co_await txn.commit(reply, observed));
  co_return Result<>{};
}

Task<> finish_decision(PartitionPtr coordinator, proto::Decision decision) {
  const std::string key = coordinator->keys().decision(decision.id());
  std::vector<Task<>> told;
  for (const proto::TxnStep& step : decision.steps()) {
    told.push_back(send_finish(coordinator, decision.id(), step, decision.commit()));
  }
  bool all = true;
  for (const Result<>& result : co_await when_all(std::move(told))) all = all && result.ok();
  // Otherwise the host tries again; participants in doubt also ask.
  coordinator->finishing_decisions().erase(key);
  if (all) coordinator->settled_decisions().push_back(decision.id());
  co_return Result<>{};
}

Task<> resolve_intent(PartitionPtr partition, std::string key) {
  const auto found = partition->image().intents().find(key);
  if (found == partition->image().intents().end()) co_return Result<>{};
  const proto::TxnId id = found->second.id();
  const PartitionId coordinator(found->second.coordinator());
  proto::TxnOutcomeRequest request;
  *request.mutable_id() = id;
  request.mutable_id()->set_step(0);
  request.set_partition(coordinator.value);
  auto reply = co_await partition->seams().client.call<proto::TxnOutcomeReply>(
      coordinator, proto::TXN_OUTCOME, std::move(request), {}, {}, partition->clock().now());
  if (!reply.ok() || !reply->body.decided()) co_return Result<>{};
  proto::TxnFinishRequest finish;
  *finish.mutable_id() = id;
  finish.set_partition(partition->id().value);
  finish.set_commit(reply->body.commit());
  co_return co_await finish_intent(partition, finish.id(), finish.commit());
}

}  // namespace turbine::meta
