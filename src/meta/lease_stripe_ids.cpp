// LEASE_STRIPE_IDS, STRIPE_LIVENESS: who may use which stripe id, and which are nobody's.
#include <algorithm>

#include "meta/operations.hpp"
#include "meta/stripe_lease.hpp"

namespace turbine::meta {
namespace {

constexpr uint32_t kLeaseMax = 4096;
constexpr size_t kRangesPerSessionMax = 16;

}  // namespace

Task<uint64_t> lease_stripe_numbers(PartitionPtr partition, SessionId session, uint32_t count) {
  if (session == SessionId{} || count == 0) co_return fail(Errc::invalid, "an empty lease");
  proto::LogEntry entry;
  // Ids of stripes that were given up keep their range open; the oldest make room.
  if (partition->image().ranges().count(session) >= kRangesPerSessionMax) {
    auto& end = *entry.add_mutations()->mutable_end_ranges();
    end.set_session(session.value);
    end.set_first(partition->image().ranges().oldest(session));
  }
  auto& lease = *entry.add_mutations()->mutable_lease_range();
  const uint64_t first = partition->next_stripe_numbers(count);
  lease.set_first(first);
  lease.set_count(count);
  lease.set_session(session.value);
  CO_TRY(co_await partition->commit(std::move(entry)));
  co_return first;
}

Answer<proto::LeaseStripeIdsReply> lease_stripe_ids(Call call,
                                                    proto::LeaseStripeIdsRequest request) {
  rpc::With<proto::LeaseStripeIdsReply> reply;
  const uint32_t count = std::min(request.count(), kLeaseMax);
  reply.body.set_first_number(
      CO_TRY(co_await lease_stripe_numbers(call.partition, SessionId(request.session()), count)));
  reply.body.set_count(count);
  co_return reply;
}

bool is_disowned(Partition& partition, StripeId id, bool has_record) {
  const StripeRanges& ranges = partition.image().ranges();
  return !has_record && id.number() < partition.image().state().next_stripe() && !ranges.open(id) &&
         !ranges.reserved(id);
}

Answer<proto::StripeLivenessReply> stripe_liveness(Call call,
                                                   proto::StripeLivenessRequest request) {
  rpc::With<proto::StripeLivenessReply> reply;
  Partition& partition = *call.partition;
  for (const uint64_t value : request.stripes()) {
    const StripeId id(value);
    const auto record =
        CO_TRY(read_record<proto::Stripe>(partition.kv(), partition.keys().stripe(id)));
    reply.body.add_disowned(is_disowned(partition, id, record.has_value()));
  }
  co_return reply;
}

}  // namespace turbine::meta
