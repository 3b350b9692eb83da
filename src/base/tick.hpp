// Periodic work on a common grid: what is due at the same time costs one wake-up of the process.
#pragma once

#include "base/clock.hpp"

namespace turbine {

/// The first multiple of `interval` after `now`. Intervals that divide each other meet, and so do
/// the processes of one machine: what they ask of each other shares wake-ups, too.
inline TimePoint next_tick(TimePoint now, Duration interval) {
  return now + (interval - now.time_since_epoch() % interval);
}

}  // namespace turbine
