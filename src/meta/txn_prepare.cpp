// TXN_PREPARE, TXN_FINISH, TXN_OUTCOME: the participant's side, and what coordinators are asked.
#include "meta/operations.hpp"
#include "meta/transaction.hpp"

namespace turbine::meta {
namespace {

Result<rpc::With<proto::TxnPrepareReply>> prepared_reply(const proto::Intent& intent) {
  rpc::With<proto::TxnPrepareReply> reply;
  if (!reply.body.mutable_result()->ParseFromString(intent.result())) {
    return fail(Errc::corrupt, "a prepared intent does not parse");
  }
  return reply;
}

Task<> log_intent(PartitionPtr partition, proto::TxnPrepareRequest request, std::string key) {
  Half half;
  CO_TRY(co_await prepare_half(partition, std::move(*request.mutable_operation()), true, &half));
  proto::LogEntry entry;
  proto::Intent& intent = *entry.add_mutations()->mutable_put_intent();
  *intent.mutable_id() = request.id();
  intent.set_coordinator(request.coordinator());
  for (const LockRequest& lock : half.locks) {
    proto::LockName* name = intent.add_locks();
    name->set_kind(static_cast<uint32_t>(lock.key.kind));
    name->set_inode(lock.key.inode.value);
    name->set_name(lock.key.name);
    name->set_exclusive(lock.exclusive);
  }
  intent.mutable_mutations()->Swap(&half.mutations);
  for (proto::ChargeBucket& charge : half.charges) *half.result.add_charges() = std::move(charge);
  intent.set_result(half.result.SerializeAsString());
  intent.set_time_ns(partition->time_after(0));
  // Registered first: a read that comes right after the entry is applied must see it as prepared.
  partition->add_prepared(key, std::move(half));
  const Result<> logged = co_await partition->commit(std::move(entry));
  if (!logged.ok()) partition->remove_prepared(key);
  co_return logged;
}

}  // namespace

Answer<proto::TxnPrepareReply> txn_prepare(Call call, proto::TxnPrepareRequest request) {
  const PartitionPtr partition = call.partition;
  const std::string key = partition->keys().intent(request.id());
  const RequestId running{SessionId(request.id().attempt()),
                          request.id().sequence() * 1024 + request.id().step()};
  while (const auto other = partition->duplicates().running(running)) {
    CO_TRY(co_await other->ended.wait());
  }
  const auto found = partition->image().intents().find(key);
  if (found != partition->image().intents().end()) co_return prepared_reply(found->second);
  if (partition->has_ended(key)) {
    co_return fail(Errc::conflict, "the transaction has ended here");
  }
  partition->duplicates().begin(running);
  Result<> logged = co_await log_intent(partition, std::move(request), key);
  partition->duplicates().end(running);
  CO_TRY(std::move(logged));
  const auto intent = partition->image().intents().find(key);
  if (intent == partition->image().intents().end()) {
    co_return fail(Errc::conflict, "the transaction was ended while it was being prepared");
  }
  co_return prepared_reply(intent->second);
}

Task<> finish_intent(PartitionPtr partition, proto::TxnId id, bool commit) {
  const std::string key = partition->keys().intent(id);
  const auto found = partition->prepared().find(key);
  if (found == partition->prepared().end()) {
    partition->note_ended(key);
    co_return Result<>{};
  }
  if (!partition->image().intents().contains(key) || found->second.finishing) {
    co_return fail(Errc::busy, "the intent is being logged or finished");
  }
  found->second.finishing = true;
  proto::LogEntry entry;
  proto::FinishIntentMutation& finish = *entry.add_mutations()->mutable_finish_intent();
  *finish.mutable_id() = id;
  finish.set_commit(commit);
  const Result<> logged = co_await partition->commit(std::move(entry));
  if (logged.ok()) {
    partition->note_ended(key);
    partition->remove_prepared(key);
  } else if (const auto again = partition->prepared().find(key);
             again != partition->prepared().end()) {
    again->second.finishing = false;
  }
  co_return logged;
}

Answer<proto::TxnFinishReply> txn_finish(Call call, proto::TxnFinishRequest request) {
  CO_TRY(co_await finish_intent(call.partition, request.id(), request.commit()));
  co_return rpc::With<proto::TxnFinishReply>{};
}

Answer<proto::TxnOutcomeReply> txn_outcome(Call call, proto::TxnOutcomeRequest request) {
  const PartitionPtr partition = call.partition;
  const std::string key = partition->keys().decision(request.id());
  rpc::With<proto::TxnOutcomeReply> reply;
  if (partition->active_transactions().contains(key)) co_return reply;
  const auto found = partition->image().decisions().find(key);
  if (found != partition->image().decisions().end()) {
    reply.body.set_decided(true);
    reply.body.set_commit(found->second.commit());
    co_return reply;
  }
  // No record: aborted. The tombstone keeps it so, whatever comes later.
  proto::LogEntry entry;
  proto::Decision& tombstone = *entry.add_mutations()->mutable_put_decision();
  *tombstone.mutable_id() = request.id();
  tombstone.set_commit(false);
  tombstone.set_time_ns(partition->time_after(0));
  CO_TRY(co_await partition->commit(std::move(entry)));
  reply.body.set_decided(true);
  reply.body.set_commit(false);
  co_return reply;
}

}  // namespace turbine::meta
