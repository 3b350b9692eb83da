// Device: the seam to a blade's storage (a file or block device). Simulation has its own.
#pragma once

#include <cstdint>

#include "base/buffer.hpp"
#include "base/check.hpp"
#include "base/task.hpp"

namespace turbine::io {

/// What a power cut leaves whole or does not leave at all.
inline constexpr size_t kSectorBytes = 512;

/// Names a completed write, so that whoever acknowledges it can prove that it was flushed.
struct WriteTicket {
  uint64_t sequence = 0;  // 0: nothing to prove
};

/// Offsets and sizes are multiples of 4096. One reactor thread. A failed write or flush is final:
/// the device answers Errc::io to everything afterwards (never retry an fsync).
class Device {
 public:
  virtual ~Device() = default;

  virtual uint64_t size_bytes() const = 0;

  /// Writes all of `data`. On return the bytes are NOT durable; they are after a flush() that was
  /// called later.
  virtual Task<WriteTicket> write(uint64_t offset, Buffer data) = 0;
  /// Reads `size` bytes into a fresh buffer. Errc::io for an unreadable range.
  virtual Task<Buffer> read(uint64_t offset, size_t size) = 0;
  /// Makes durable every write that had completed when flush() was called.
  virtual Task<> flush() = 0;
  /// write() and then flush(). Where the device can it is one trip to the kernel, in which the
  /// flush starts when the write has completed.
  virtual Task<WriteTicket> write_durably(uint64_t offset, Buffer data);
  /// Makes space exist for [offset, offset + size) ahead of use, contents unspecified.
  virtual Task<> prepare(uint64_t offset, uint64_t size) = 0;
  /// Tells the device that the range holds nothing of value (hole punch); may do nothing.
  virtual Task<> discard(uint64_t offset, uint64_t size) = 0;

  /// Uninitialised memory the device transfers to and from most cheaply.
  virtual Buffer allocate(size_t size) { return Buffer::allocate(size); }

  /// The highest sequence known to be durable.
  virtual uint64_t durable_sequence() const = 0;
  /// To be called before a write is acknowledged to anyone, in Release too: proves that a flush
  /// submitted after the write's completion has completed.
  void check_durable(WriteTicket ticket) const { CHECK(ticket.sequence <= durable_sequence()); }
};

inline Task<WriteTicket> Device::write_durably(uint64_t offset, Buffer data) {
  const WriteTicket ticket = CO_TRY(co_await write(offset, std::move(data)));
  CO_TRY(co_await flush());
  co_return ticket;
}

}  // namespace turbine::io
