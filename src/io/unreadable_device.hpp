// UnreadableDevice: a range of a device whose reads fail, for tests of real processes.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "io/device.hpp"

namespace turbine::io {

struct DeviceRange {
  uint64_t offset = 0, bytes = 0;
};

/// Parses `OFFSET:BYTES`, the form of the environment variable TURBINE_UNREADABLE.
Result<DeviceRange> parse_device_range(std::string_view text);

/// From fail_reads() on every read that touches the range answers Errc::io, as a medium does whose
/// sectors have gone bad. Writes and flushes succeed: a device that fails those is given up as a
/// whole. Switched on by configuration only.
class UnreadableDevice final : public Device {
 public:
  UnreadableDevice(std::unique_ptr<Device> inner, DeviceRange range)
      : inner_(std::move(inner)), range_(range) {}

  void fail_reads() { failing_ = true; }

  uint64_t size_bytes() const override { return inner_->size_bytes(); }
  Task<WriteTicket> write(uint64_t offset, Buffer data) override {
    return inner_->write(offset, std::move(data));
  }
  Task<Buffer> read(uint64_t offset, size_t size) override;
  Task<> flush() override { return inner_->flush(); }
  Task<> prepare(uint64_t offset, uint64_t size) override { return inner_->prepare(offset, size); }
  Task<> discard(uint64_t offset, uint64_t size) override { return inner_->discard(offset, size); }
  Buffer allocate(size_t size) override { return inner_->allocate(size); }
  uint64_t durable_sequence() const override { return inner_->durable_sequence(); }

 private:
  static Task<Buffer> refuse(uint64_t offset, size_t size);

  const std::unique_ptr<Device> inner_;
  const DeviceRange range_;
  bool failing_ = false;
};

}  // namespace turbine::io
