// Whether a blade that registers holds what the blade of that number held last.
#pragma once

#include <algorithm>

#include "proto/cluster.pb.h"

namespace turbine::cluster {

/// The device is a copy from an earlier day (a restored image, a mirror's other half): it lacks
/// entries that this blade has acknowledged. `journal_position`: as of its last heartbeat; 0 when
/// this manager heard none.
inline bool is_old_copy(const proto::Blade& known, uint64_t journal_position,
                        const proto::RegisterBladeRequest& request) {
  if (request.processes().empty()) return false;
  const bool other_process =
      known.process() != 0 &&
      std::ranges::find(request.processes(), known.process()) == request.processes().end();
  const bool shorter =
      request.journal_position() > 0 && request.journal_position() < journal_position;
  return other_process || shorter;
}

}  // namespace turbine::cluster
