// SimDevice: a simulated process's open handle on a SimDisk.
#pragma once

#include <memory>

#include "io/device.hpp"
#include "io/sim_disk.hpp"

namespace turbine::io {

/// Device over a SimDisk in virtual time. Closing it (destructor) is the death of a process: what
/// is in flight completes, nothing is lost, the disk may be opened again. crash() is a power cut.
/// After either, waiting callers get Errc::closed, so that they unwind; they must acknowledge
/// nothing. Disk and clock must outlive it.
class SimDevice final : public Device {
 public:
  SimDevice(SimDisk& disk, Clock& clock);
  ~SimDevice() override;
  SimDevice(const SimDevice&) = delete;
  SimDevice& operator=(const SimDevice&) = delete;

  uint64_t size_bytes() const override;
  Task<WriteTicket> write(uint64_t offset, Buffer data) override;
  Task<Buffer> read(uint64_t offset, size_t size) override;
  Task<> flush() override;
  Task<> prepare(uint64_t offset, uint64_t size) override;
  Task<> discard(uint64_t offset, uint64_t size) override;
  uint64_t durable_sequence() const override;

  /// Power is cut: unsynced writes and those in flight suffer `loss`; all calls answer
  /// Errc::closed from now on.
  void crash(CrashLoss loss);
  bool is_open() const;

 private:
  struct Handle;
  static Task<> pass_time(std::shared_ptr<Handle> handle, Duration base);
  static Result<> begin_io(Handle& handle, ByteRange range);
  static Task<WriteTicket> do_write(std::shared_ptr<Handle> handle, uint64_t offset, Buffer data);
  static Task<Buffer> do_read(std::shared_ptr<Handle> handle, uint64_t offset, size_t size);
  static Task<> do_flush(std::shared_ptr<Handle> handle);
  static Task<> do_prepare(std::shared_ptr<Handle> handle);
  static void close(Handle& handle, CrashLoss loss, bool power_cut);

  std::shared_ptr<Handle> handle_;
};

}  // namespace turbine::io
