// BindingLeases: who was told lately where a directory is, and may rely on it.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/ids.hpp"

namespace turbine::meta {

/// So long a gateway may rely on the place of a directory.
inline constexpr Duration kBindingLease = std::chrono::seconds(1);

/// The leases that this primary gave on names of directories. Bounded: when there are too many, all
/// names count as leased. One reactor thread.
class BindingLeases {
 public:
  /// A lease on the name begins now.
  void give(InodeId directory, const std::string& name, TimePoint now);
  /// How long it may still run; `led_since`: an earlier primary may have given one before.
  Duration left(InodeId directory, const std::string& name, TimePoint now,
                TimePoint led_since) const;

 private:
  std::map<std::pair<InodeId, std::string>, TimePoint> ends_;
  TimePoint all_end_{};
};

}  // namespace turbine::meta
