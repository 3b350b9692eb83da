#include "stripe/stripe_ids.hpp"

#include <algorithm>
#include <utility>

namespace turbine::stripe {
namespace {

constexpr Duration kSoon = std::chrono::seconds(2);
constexpr Duration kLate = std::chrono::seconds(30);

}  // namespace

Task<StripeId> LeasedStripeIds::next(PartitionId id) {
  auto& slot = homes_[id];
  if (!slot) slot = std::make_shared<Home>(clock_.executor());
  const std::shared_ptr<Home> home = slot;
  if (clock_.now() - home->leased_at > use_max_) home->next = home->end;
  while (home->next == home->end) {
    if (home->leasing) {
      const uint64_t failures = home->failures;
      CO_TRY(co_await home->changed.wait());
      if (failures != home->failures) co_return fail(home->failure);  // not once per waiter again
    } else {
      CO_TRY(co_await lease(home, id));
    }
  }
  co_return StripeId::make(id, home->next++);
}

Task<> LeasedStripeIds::lease(std::shared_ptr<Home> home, PartitionId id) {
  const TimePoint now = clock_.now();
  if (home->leased_at != TimePoint{}) {
    const Duration lasted = now - home->leased_at;
    if (lasted < kSoon) home->count = std::min(home->count * 2, kLeaseCountMax);
    if (lasted > kLate) home->count = std::max(home->count / 2, kLeaseCountMin);
  }
  home->leasing = true;
  const uint64_t generation = home->generation;
  auto range = co_await lease_(id, home->count);
  home->leasing = false;
  home->changed.notify_all();
  if (!range.ok()) {
    ++home->failures;
    home->failure = range.error();
    co_return fail(std::move(range).error());
  }
  if (generation != home->generation) co_return Result<>{};
  if (range->count == 0) {
    co_return fail(Errc::unavailable, "partition {} leased no stripe ids", id);
  }
  home->first = home->next = range->first_number;
  home->end = range->first_number + range->count;
  home->leased_at = clock_.now();
  co_return Result<>{};
}

void LeasedStripeIds::forget() {
  for (auto& [id, home] : homes_) {
    home->first = home->next = home->end = 0;
    ++home->generation;
  }
}

void LeasedStripeIds::forget(StripeId id) {
  const auto found = homes_.find(id.home());
  if (found == homes_.end()) return;
  Home& home = *found->second;
  if (id.number() >= home.first && id.number() < home.end) home.next = home.end;
}

}  // namespace turbine::stripe
