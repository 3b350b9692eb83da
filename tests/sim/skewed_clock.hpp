// A process's own clock, which runs a little faster or slower than the simulation's.
#pragma once

#include <map>
#include <memory>

#include "base/clock.hpp"
#include "rpc/rpc.hpp"

namespace turbine::sim {

class SkewedClock final : public Clock {
 public:
  /// Gains `ppm` microseconds in each second of `base`, which outlives it.
  SkewedClock(Clock& base, int32_t ppm) : base_(base), ppm_(ppm) {}

  TimePoint now() const override;
  WallTime wall_now() const override { return base_.wall_now(); }
  TimerId call_at(TimePoint at, std::move_only_function<void()> callback) override {
    return base_.call_at(base_time(at), std::move(callback));
  }
  void cancel(TimerId id) override { base_.cancel(id); }
  Executor executor() override { return base_.executor(); }

  /// The first moment of the base at which now() ≥ `at`.
  TimePoint base_time(TimePoint at) const;

 private:
  Clock& base_;
  const int32_t ppm_;
};

/// Deadlines of calls are by the process's clock, the network's are by its own.
std::unique_ptr<rpc::Transport> make_skewed_transport(std::unique_ptr<rpc::Transport> inner,
                                                      const SkewedClock& clock);

}  // namespace turbine::sim
