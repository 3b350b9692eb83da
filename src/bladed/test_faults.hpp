// What a blade process suffers on purpose, so that tests can do to real processes what the
// simulator does to its own: asked for by environment variables only, and logged as a warning.
#pragma once

#include <memory>
#include <optional>

#include "io/faulty_device.hpp"
#include "io/reactor.hpp"
#include "io/unreadable_device.hpp"

namespace turbine::bladed {

struct TestFaults {
  /// TURBINE_POWER_CUT=SEED[:IO][,lie]: unflushed writes die with the process; SIGUSR1 cuts.
  std::optional<io::PowerCutPlan> power_cut;
  /// TURBINE_UNREADABLE=OFFSET:BYTES: reads there fail from SIGUSR2 on.
  std::optional<io::DeviceRange> unreadable;
  /// TURBINE_SKIP_FLUSH: the journal acknowledges without a flush; its check must end the process.
  bool skip_flush = false;
};

Result<TestFaults> test_faults_from_environment();

/// The device with those faults around it. `reactor` takes the signals.
std::unique_ptr<io::Device> with_faults(io::Reactor& reactor, std::unique_ptr<io::Device> device,
                                        const TestFaults& faults);

}  // namespace turbine::bladed
