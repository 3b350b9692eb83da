#include "io/sim_device.hpp"

#include <map>

#include "base/async.hpp"

namespace turbine::io {

/// Shared with the coroutines of its I/Os, which may unwind after the device is gone.
struct SimDevice::Handle {
  Handle(SimDisk& d, Clock& c) : disk(&d), clock(&c) {}
  SimDisk* disk;  // null when closed
  Clock* clock;
  bool failed = false;
  uint64_t next_io = 1;
  std::map<uint64_t, OneShot<>> waiting;  // by I/O of this handle
  std::map<uint64_t, SimDisk::PendingWrite> in_flight;
};

namespace {

std::unexpected<Error> closed() {
  return fail(Errc::closed, "the simulated device is closed");
}

std::unexpected<Error> failed() {
  return fail(Errc::io, "the simulated device has failed");
}

}  // namespace

SimDevice::SimDevice(SimDisk& disk, Clock& clock) : handle_(std::make_shared<Handle>(disk, clock)) {
  CHECK(!disk.open_);
  disk.open_ = true;
}

SimDevice::~SimDevice() {
  close(*handle_, CrashLoss::nothing, false);
}

bool SimDevice::is_open() const {
  return handle_->disk != nullptr;
}

uint64_t SimDevice::size_bytes() const {
  CHECK(is_open());
  return handle_->disk->size_bytes();
}

uint64_t SimDevice::durable_sequence() const {
  // After a crash nobody is left to be told anything, so nothing may count as durable.
  return is_open() ? handle_->disk->durable_sequence_ : 0;
}

void SimDevice::crash(CrashLoss loss) {
  close(*handle_, loss, true);
}

void SimDevice::close(Handle& handle, CrashLoss loss, bool power_cut) {
  if (handle.disk == nullptr) return;
  SimDisk& disk = *std::exchange(handle.disk, nullptr);
  disk.open_ = false;
  std::vector<SimDisk::PendingWrite> writes;
  writes.reserve(handle.in_flight.size());
  for (auto& [io, write] : handle.in_flight) writes.push_back(std::move(write));
  handle.in_flight.clear();
  if (power_cut) {
    disk.lose_power(std::move(writes), loss);
  } else {
    for (auto& write : writes) disk.finish_write(write.offset, std::move(write.data));
  }
  for (auto& [io, shot] : std::exchange(handle.waiting, {})) shot.set(closed());
}

/// Counts the I/O and lets it fail or cut the power, as the faults say.
Result<> SimDevice::begin_io(Handle& handle, ByteRange range) {
  if (handle.disk == nullptr) return closed();
  SimDisk& disk = *handle.disk;
  CHECK(range.offset % kPageBytes == 0 && range.size % kPageBytes == 0);
  CHECK(range.offset <= disk.size_bytes_ && range.size <= disk.size_bytes_ - range.offset);
  if (handle.failed) return failed();
  const uint64_t io = ++disk.io_count_;
  if (io == disk.faults.crash_io) {
    close(handle, disk.faults.crash_loss, true);
    return closed();
  }
  return {};
}

Task<> SimDevice::pass_time(std::shared_ptr<Handle> handle, Duration base) {
  const uint64_t io = handle->next_io++;
  OneShot<> shot(handle->clock->executor());
  handle->waiting.emplace(io, shot);
  const Duration delay = handle->disk->delay(base);
  const TimerId timer = handle->clock->call_at(handle->clock->now() + delay,
                                               [shot]() mutable { shot.set(Result<>{}); });
  auto result = co_await shot.wait();
  if (handle->disk == nullptr) {
    handle->clock->cancel(timer);
    co_return closed();
  }
  handle->waiting.erase(io);
  co_return result;
}

// --- the calls -------------------------------------------------------------------------------

Task<WriteTicket> SimDevice::write(uint64_t offset, Buffer data) {
  return do_write(handle_, offset, std::move(data));
}

Task<WriteTicket> SimDevice::do_write(std::shared_ptr<Handle> handle, uint64_t offset,
                                      Buffer data) {
  CO_TRY(begin_io(*handle, {offset, data.size()}));
  SimDisk& disk = *handle->disk;
  const bool fails =
      disk.io_count_ == disk.faults.fail_io || std::exchange(disk.faults.fail_writes, false);
  const uint64_t io = handle->next_io;
  handle->in_flight.emplace(io, SimDisk::PendingWrite{0, offset, data});
  CO_TRY(co_await pass_time(handle, disk.timing_.write));
  handle->in_flight.erase(io);
  if (fails) {
    ++disk.counters_.failed_ios;
    handle->failed = true;
  }
  if (handle->failed) co_return failed();
  co_return WriteTicket{disk.finish_write(offset, std::move(data))};
}

Task<Buffer> SimDevice::read(uint64_t offset, size_t size) {
  return do_read(handle_, offset, size);
}

Task<Buffer> SimDevice::do_read(std::shared_ptr<Handle> handle, uint64_t offset, size_t size) {
  CO_TRY(begin_io(*handle, {offset, size}));
  SimDisk& disk = *handle->disk;
  const bool fails = disk.io_count_ == disk.faults.fail_io;
  CO_TRY(co_await pass_time(handle, disk.timing_.read));
  if (handle->failed) co_return failed();
  for (const auto& range : disk.faults.unreadable) {
    if (!range.overlaps(offset, size)) continue;
    ++disk.counters_.unreadable_reads;
    co_return fail(Errc::io, "unreadable sector in {} bytes at {}", size, offset);
  }
  if (fails) {
    ++disk.counters_.failed_ios;
    co_return fail(Errc::io, "read of {} bytes at {} failed", size, offset);
  }
  Buffer data = Buffer::allocate(size);
  disk.peek(offset, data.mutable_view());
  co_return data;
}

Task<> SimDevice::flush() {
  return do_flush(handle_);
}

Task<> SimDevice::do_flush(std::shared_ptr<Handle> handle) {
  CO_TRY(begin_io(*handle, {}));
  SimDisk& disk = *handle->disk;
  const bool fails =
      disk.io_count_ == disk.faults.fail_io || std::exchange(disk.faults.fail_flushes, false);
  const uint64_t covers = disk.completed_;
  CO_TRY(co_await pass_time(handle, disk.timing_.flush));
  if (fails) {
    ++disk.counters_.failed_ios;
    handle->failed = true;
  }
  if (handle->failed) co_return failed();
  disk.make_durable(covers);
  co_return Result<>{};
}

Task<> SimDevice::prepare(uint64_t, uint64_t) {
  return do_prepare(handle_);
}

Task<> SimDevice::do_prepare(std::shared_ptr<Handle> handle) {
  if (handle->disk == nullptr) co_return closed();
  if (handle->failed) co_return failed();
  SimDisk& disk = *handle->disk;
  CO_TRY(co_await pass_time(handle, disk.timing_.write));
  if (!disk.faults.full) co_return Result<>{};
  ++disk.counters_.full;
  co_return fail(Errc::no_space, "the simulated disk is full");
}

/// Leaves the contents as they are: readers must not rely on zeroes.
Task<> SimDevice::discard(uint64_t, uint64_t) {
  if (!is_open()) co_return closed();
  co_return Result<>{};
}

}  // namespace turbine::io
