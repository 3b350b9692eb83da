#include "meta/binding_leases.hpp"

#include <algorithm>

namespace turbine::meta {
namespace {

constexpr size_t kLeasesMax = 10'000;

}  // namespace

void BindingLeases::give(InodeId directory, const std::string& name, TimePoint now) {
  if (ends_.size() >= kLeasesMax) {
    std::erase_if(ends_, [now](const auto& lease) { return lease.second <= now; });
  }
  if (ends_.size() >= kLeasesMax) {
    ends_.clear();
    all_end_ = now + kBindingLease;
  }
  ends_[{directory, name}] = now + kBindingLease;
}

Duration BindingLeases::left(InodeId directory, const std::string& name, TimePoint now,
                             TimePoint led_since) const {
  TimePoint end = std::max(all_end_, led_since + kBindingLease);
  const auto found = ends_.find({directory, name});
  if (found != ends_.end()) end = std::max(end, found->second);
  return std::max(end - now, Duration::zero());
}

}  // namespace turbine::meta
