// PowerCutDevice: power cuts for real processes, as a shim over a real Device.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/rng.hpp"
#include "io/device.hpp"

namespace turbine::io {

/// When the power fails by itself, and what of the unsynced writes survives.
struct PowerCutPlan {
  uint64_t seed = 0;   // 0: everything unsynced is lost; else sectors are kept at random
  uint64_t at_io = 0;  // before this write or flush, counted from 1; 0: only on cut_power()
  bool lie = false;    // flush() answers at once and makes nothing durable: what a test must notice
};

/// Parses `SEED[:IO][,lie]`, the form of the environment variable TURBINE_POWER_CUT.
Result<PowerCutPlan> parse_power_cut(std::string_view text);

/// Keeps written bytes in this process's memory until flush() hands them to `inner` and flushes
/// it. So SIGKILL alone is a power cut that loses everything unsynced, and cut_power() one that
/// tears it. For tests; switched on by configuration only. `inner` must outlive it.
class PowerCutDevice final : public Device {
 public:
  /// `exit` ends the process (::_exit(137) unless told); tests pass their own.
  PowerCutDevice(Executor executor, std::unique_ptr<Device> inner, PowerCutPlan plan,
                 std::move_only_function<void()> exit = nullptr);
  ~PowerCutDevice() override;

  uint64_t size_bytes() const override;
  Task<WriteTicket> write(uint64_t offset, Buffer data) override;
  Task<Buffer> read(uint64_t offset, size_t size) override;
  Task<> flush() override;
  Task<> prepare(uint64_t offset, uint64_t size) override;
  Task<> discard(uint64_t offset, uint64_t size) override;
  Buffer allocate(size_t size) override;
  uint64_t durable_sequence() const override;

  /// Writes what survives of the unsynced bytes to the inner device and ends the process. No call
  /// completes meanwhile. Hook it to a signal with Reactor::on_signal.
  void cut_power();

 private:
  struct State;
  static Task<WriteTicket> do_write(std::shared_ptr<State> state, uint64_t offset, Buffer data);
  static Task<Buffer> do_read(std::shared_ptr<State> state, uint64_t offset, size_t size);
  static Task<> do_flush(std::shared_ptr<State> state);
  static Task<> tear(std::shared_ptr<State> state);
  static void cut(const std::shared_ptr<State>& state);
  static bool count_io(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace turbine::io
