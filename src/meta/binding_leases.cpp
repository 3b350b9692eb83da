#include "meta/binding_leases.hpp"

#include <algorithm>

namespace turbine::meta {
namespace {

constexpr size_t kLeasesMax = 10'000;
/// So long a lease is waited for, as clocks differ by up to 1 % each: the gateway's, the giver's,
/// and that of the partition that waits in the giver's place.
constexpr Duration kKept = kBindingLease + std::chrono::milliseconds(50);

}  // namespace

void BindingLeases::give(InodeId directory, const std::string& name, TimePoint now) {
  if (ends_.size() >= kLeasesMax) {
    std::erase_if(ends_, [now](const auto& lease) { return lease.second <= now; });
  }
  if (ends_.size() >= kLeasesMax) {
    ends_.clear();
    all_end_ = now + kKept;
  }
  ends_[{directory, name}] = now + kKept;
}

Duration BindingLeases::left(InodeId directory, const std::string& name, TimePoint now,
                             TimePoint led_since) const {
  TimePoint end = std::max(all_end_, led_since + kKept);
  const auto found = ends_.find({directory, name});
  if (found != ends_.end()) end = std::max(end, found->second);
  return std::max(end - now, Duration::zero());
}

}  // namespace turbine::meta
