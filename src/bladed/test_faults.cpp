#include "bladed/test_faults.hpp"

#include <csignal>
#include <cstdlib>

#include "base/log.hpp"

namespace turbine::bladed {

Result<TestFaults> test_faults_from_environment() {
  TestFaults faults;
  if (const char* text = std::getenv("TURBINE_POWER_CUT")) {
    faults.power_cut = TRY(io::parse_power_cut(text));
  }
  if (const char* text = std::getenv("TURBINE_UNREADABLE")) {
    faults.unreadable = TRY(io::parse_device_range(text));
  }
  faults.skip_flush = std::getenv("TURBINE_SKIP_FLUSH") != nullptr;
  return faults;
}

std::unique_ptr<io::Device> with_faults(io::Reactor& reactor, std::unique_ptr<io::Device> device,
                                        const TestFaults& faults) {
  if (faults.unreadable.has_value()) {
    auto shim = std::make_unique<io::UnreadableDevice>(std::move(device), *faults.unreadable);
    reactor.on_signal({SIGUSR2}, [raw = shim.get()](int) { raw->fail_reads(); });
    log::warn("TEST FAULT: TURBINE_UNREADABLE is set: SIGUSR2 makes {} bytes at {} unreadable",
              faults.unreadable->bytes, faults.unreadable->offset);
    device = std::move(shim);
  }
  if (faults.power_cut.has_value()) {
    auto shim = std::make_unique<io::PowerCutDevice>(reactor.executor(), std::move(device),
                                                     *faults.power_cut);
    reactor.on_signal({SIGUSR1}, [raw = shim.get()](int) { raw->cut_power(); });
    log::warn("TEST FAULT: TURBINE_POWER_CUT is set: unflushed writes are kept in memory{}",
              faults.power_cut->lie ? " and flushes are LIES" : "");
    device = std::move(shim);
  }
  if (faults.skip_flush) {
    log::warn("TEST FAULT: TURBINE_SKIP_FLUSH is set: the journal does not flush");
  }
  return device;
}

}  // namespace turbine::bladed
