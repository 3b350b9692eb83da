// Half: what one side of a transaction, or a plain operation, has in hand before it is logged.
#pragma once

#include <memory>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "meta/key_locks.hpp"
#include "proto/meta_log.pb.h"

namespace turbine::meta {

class Partition;
using PartitionPtr = std::shared_ptr<Partition>;

/// Counts a removal from a directory that is on its way, while it lives.
class Removal {
 public:
  Removal() = default;
  Removal(PartitionPtr partition, InodeId directory);
  Removal(Removal&& other) noexcept = default;
  Removal& operator=(Removal&& other) noexcept = default;
  ~Removal();

 private:
  PartitionPtr partition_;
  InodeId directory_;
};

/// Holds stripe ids for an entry that will spend them.
class StripeReservation {
 public:
  explicit StripeReservation(PartitionPtr partition) : partition_(std::move(partition)) {}
  StripeReservation(StripeReservation&&) noexcept = default;
  StripeReservation& operator=(StripeReservation&&) noexcept = default;
  ~StripeReservation();
  /// Checks and takes the id.
  Result<> add(StripeId id);
  /// Takes it without a check: of an intent that survived a restart.
  void restore(StripeId id);

 private:
  PartitionPtr partition_;
  std::vector<StripeId> ids_;
};

/// Sums of a bucket's changes that are on their way into its quota.
struct ChargesOnTheirWay {
  uint32_t count = 0;
  int64_t grown = 0;
  int64_t shrunk = 0;  // ≤ 0
};

/// A change of what a bucket uses that is on its way into its quota: growth holds the room.
class ChargeReservation {
 public:
  ChargeReservation(PartitionPtr partition, uint64_t bucket, int64_t bytes);
  ChargeReservation(ChargeReservation&&) noexcept = default;
  ChargeReservation& operator=(ChargeReservation&&) noexcept = default;
  ~ChargeReservation();

 private:
  PartitionPtr partition_;
  uint64_t bucket_;
  int64_t bytes_;
};

/// Locks and reservations are given back with it.
struct Half {
  std::vector<KeyLocks::Guard> guards;
  std::vector<LockRequest> locks;
  google::protobuf::RepeatedPtrField<proto::Mutation> mutations;
  std::vector<StripeReservation> reservations;
  std::vector<Removal> removals;
  std::vector<ChargeReservation> charge_reservations;
  std::vector<proto::ChargeBucket> charges;  // for the coordinator to charge (bucket_usage.hpp)
  proto::SubResult result;
};

}  // namespace turbine::meta
