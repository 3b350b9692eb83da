// Transaction: the coordinator's side of a change that touches several partitions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "meta/partition.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::meta {

/// Two-phase commit; the coordinator is the partition of the directory that the request names.
/// prepare() makes participants lock, check and log an intent; commit() logs the decision together
/// with the coordinator's own half, which is the commit point, and returns when that is durable and
/// applied; participants are told afterwards. Without a record of a decision a transaction is
/// aborted. Sub-operations of the coordinator's own partition are added to its half.
///
/// Must end with commit() or abort().
class Transaction {
 public:
  Transaction(PartitionPtr coordinator, RequestId request, TimePoint received);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  /// The coordinator's own locks and mutations.
  Half& half() { return half_; }
  /// Errc::busy: somebody else is at it; release all, back off, retry. Others: the
  /// sub-operation's refusal.
  Task<proto::SubResult> prepare(PartitionId partition, proto::SubOperation operation);
  /// Charges first what the halves say (bucket_usage.hpp): Errc::quota_exceeded.
  /// `observed`: gets the coordinator's files around the entry.
  Task<> commit(const google::protobuf::MessageLite& reply, Image::Observed* observed = nullptr);
  /// As commit(), and waits, a bounded time, until the participants have applied it: who was
  /// answered then sees it in their partitions too.
  Task<> commit_everywhere(const google::protobuf::MessageLite& reply, Image::Observed* observed);
  /// Tells those that may have prepared, without waiting. Gives the error back.
  void abort();

 private:
  Task<> charge_buckets();
  Task<> log_decision(std::string reply, Image::Observed* observed);
  PartitionPtr coordinator_;
  RequestId request_;
  TimePoint received_;
  proto::TxnId id_;
  std::string key_;
  Half half_;
  std::vector<proto::TxnStep> steps_;
  bool wait_for_participants_ = false;
  bool ended_ = false;
};

/// Tells the participants of a decision and notes when all know it.
Task<> finish_decision(PartitionPtr coordinator, proto::Decision decision);
/// Logs the end of a prepared intent, applies it if it commits, and unlocks. No effect when
/// unknown.
Task<> finish_intent(PartitionPtr partition, proto::TxnId id, bool commit);
/// Asks the coordinator about an intent in doubt and finishes it when there is an answer.
Task<> resolve_intent(PartitionPtr partition, std::string key);

/// Runs a sub-operation up to the point of logging: locks, checks, mutations, result. `wait`: locks
/// may be waited for, a bounded time; otherwise they are only tried.
Task<> prepare_half(PartitionPtr partition, proto::SubOperation operation, bool wait, Half* half);

/// Commits `half`: by one entry, or as a transaction when it must charge its buckets.
Task<> commit_half(PartitionPtr partition, RequestId request, TimePoint received,
                   const google::protobuf::MessageLite& reply, Half* half,
                   Image::Observed* observed = nullptr);

/// Removes the directory entries upwards from `entry` as long as what is left is empty, implicit
/// and in this partition; half->result.next is set when it goes on elsewhere.
Task<> prepare_removal(PartitionPtr partition, proto::RemoveEntry entry, bool wait, Half* half);

}  // namespace turbine::meta
