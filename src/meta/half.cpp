#include "meta/half.hpp"

#include "meta/partition.hpp"

namespace turbine::meta {

Removal::Removal(PartitionPtr partition, InodeId directory)
    : partition_(std::move(partition)), directory_(directory) {
  ++partition_->removals_[directory_];
}

Removal::~Removal() {
  if (partition_ == nullptr) return;
  const auto found = partition_->removals_.find(directory_);
  if (--found->second == 0) partition_->removals_.erase(found);
}

StripeReservation::~StripeReservation() {
  if (partition_ == nullptr) return;
  for (const StripeId id : ids_) partition_->image_.ranges().unreserve(id);
}

Result<> StripeReservation::add(StripeId id) {
  TRY(partition_->image_.ranges().check(id));
  restore(id);
  return {};
}

void StripeReservation::restore(StripeId id) {
  partition_->image_.ranges().reserve(id);
  ids_.push_back(id);
}

ChargeReservation::ChargeReservation(PartitionPtr partition, uint64_t bucket, int64_t bytes)
    : partition_(std::move(partition)), bucket_(bucket), bytes_(bytes) {
  ChargesOnTheirWay& charges = partition_->charges_[bucket_];
  ++charges.count;
  (bytes_ > 0 ? charges.grown : charges.shrunk) += bytes_;
}

ChargeReservation::~ChargeReservation() {
  if (partition_ == nullptr) return;
  const auto found = partition_->charges_.find(bucket_);
  ChargesOnTheirWay& charges = found->second;
  (bytes_ > 0 ? charges.grown : charges.shrunk) -= bytes_;
  if (--charges.count == 0) partition_->charges_.erase(found);
}

}  // namespace turbine::meta
