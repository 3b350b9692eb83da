// LeasedStripeIds: stripe ids out of ranges leased from their home partitions.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/async.hpp"
#include "base/clock.hpp"
#include "stripe/stripe.hpp"

namespace turbine::stripe {

inline constexpr uint32_t kLeaseCountMin = 64;
inline constexpr uint32_t kLeaseCountMax = 1024;

struct StripeIdRange {
  uint64_t first_number = 0;
  uint32_t count = 0;
};
/// Asks the home partition for a range that nobody else has or will have.
using LeaseStripeIds = std::function<Task<StripeIdRange>(PartitionId home, uint32_t count)>;

/// Gives each leased id out once. Ranges grow while they are used up fast and shrink again, so that
/// a lease costs one log entry per second or less and little is abandoned when the process ends.
/// One reactor thread.
class LeasedStripeIds final : public StripeIdSource {
 public:
  /// `use_max`: a range is not used for longer. Partitions end old ones; be well below their time.
  LeasedStripeIds(Clock& clock, LeaseStripeIds lease, Duration use_max = std::chrono::minutes(4))
      : clock_(clock), lease_(std::move(lease)), use_max_(use_max) {}

  Task<StripeId> next(PartitionId home) override;
  /// Forgets what is left of all ranges. When the session that leased them has ended.
  void forget();
  /// Forgets what is left of the range that gave this id out, if it is still in use: its home says
  /// that it has ended.
  void forget(StripeId id);

 private:
  struct Home {
    explicit Home(Executor executor) : changed(executor) {}
    uint64_t first = 0, next = 0, end = 0;  // of the range in use
    uint32_t count = kLeaseCountMin;        // of the next lease
    TimePoint leased_at{};
    bool leasing = false;
    uint64_t generation = 0;  // counts forget()
    uint64_t failures = 0;
    Error failure;  // of the last failed lease
    Event changed;
  };
  Task<> lease(std::shared_ptr<Home> home, PartitionId id);

  Clock& clock_;
  LeaseStripeIds lease_;
  const Duration use_max_;
  std::map<PartitionId, std::shared_ptr<Home>> homes_;
};

}  // namespace turbine::stripe
