// The Device of real processes: a file or block device through io_uring and O_DIRECT.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "io/device.hpp"
#include "io/reactor.hpp"

namespace turbine::io {

struct UringOptions {
  /// Makes a sparse file of size_bytes when `path` does not exist; its directory is synced.
  bool create = false;
  /// I/Os in the kernel at once; more wait in order of arrival.
  uint32_t depth = 256;
  /// Pinned memory for allocate() and reads of 64 to 256 KiB. 0: none.
  size_t registered_bytes = size_t{8} << 20;
  /// How long to wait for the lock: the kernel keeps that of a killed process for some
  /// milliseconds.
  Duration lock_wait{};
};

/// Opens `path` exclusively (flock) with a ring of its own; I/Os queued in one turn of the reactor
/// are submitted with one system call. `size_bytes` 0 takes the file's size.
///
/// Buffers whose address the device can't transfer from (statx dio_mem_align) are copied on the
/// way; Buffer::allocate and allocate() never are. A failed discard is ignored.
///
/// Errc::unsupported: no io_uring or no O_DIRECT here. Errc::busy: another process has it open.
/// Errc::not_found, Errc::invalid (too small, not a file or block device), Errc::io.
/// Open on the thread that runs the reactor; the reactor must outlive the device.
Result<std::unique_ptr<Device>> open_uring_device(Reactor& reactor, std::string path,
                                                  uint64_t size_bytes, UringOptions options = {});

}  // namespace turbine::io
