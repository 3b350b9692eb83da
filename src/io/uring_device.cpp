#include "io/uring_device.hpp"

#include <fcntl.h>
#include <liburing.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <vector>

#include "base/async.hpp"
#include "base/log.hpp"
#include "io/uring_buffers.hpp"
#include "io/uring_file.hpp"
#include "io/uring_operation.hpp"

namespace turbine::io {
namespace {

constexpr size_t kSlotBytes = size_t{256} << 10;
constexpr size_t kPooledReadBytesMin = size_t{64} << 10;
constexpr int kResubmitsMax = 100;

using Operation = UringOperation;

class UringDevice final : public Device {
 public:
  UringDevice(Reactor& reactor, std::string path, DirectFile file, uint32_t depth)
      : executor_(reactor.executor()),
        path_(std::move(path)),
        file_(file),
        depth_(depth),
        completions_(reactor.executor()) {}
  ~UringDevice() override;

  Result<> start(size_t registered_bytes);

  uint64_t size_bytes() const override { return file_.size_bytes; }
  uint64_t durable_sequence() const override { return durable_; }
  Buffer allocate(size_t size) override {
    Buffer buffer = pool_ == nullptr ? Buffer() : pool_->take(size);
    return buffer.capacity() > 0 ? buffer : Buffer::allocate(size);
  }

  Task<WriteTicket> write(uint64_t offset, Buffer data) override;
  Task<WriteTicket> write_durably(uint64_t offset, Buffer data) override;
  Task<Buffer> read(uint64_t offset, size_t size) override;
  Task<> flush() override;
  Task<> prepare(uint64_t offset, uint64_t size) override;
  Task<> discard(uint64_t offset, uint64_t size) override;

 private:
  Result<> setup_ring();
  void register_buffers(size_t bytes);
  void check_range(uint64_t offset, uint64_t size) const;
  std::unexpected<Error> failed() const;
  void fail_for_good(const char* what, const Operation& operation);

  Operation* take_operation(Operation::Kind kind, uint64_t offset, uint64_t size);
  void give_back(Operation* operation);
  asio::awaitable<void, Executor> execute(Operation* operation);
  void schedule_submit();
  void submit();
  void push(Operation* operation);
  void fill(io_uring_sqe* sqe, Operation* operation);
  void fill_transfer(io_uring_sqe* sqe, Operation* operation);
  void wait_for_completions();
  void reap();
  void complete(Operation* operation, int result);
  void complete_linked(Operation* operation, int result);
  bool want_more(Operation* operation, int result);

  Executor executor_;
  const std::string path_;
  const DirectFile file_;
  const uint32_t depth_;
  io_uring ring_{};
  bool ring_ready_ = false;
  bool deferred_tasks_ = false;
  asio::posix::basic_stream_descriptor<Executor> completions_;  // the ring's eventfd
  uint64_t completions_count_[2] = {};
  RegisteredPool* pool_ = nullptr;

  std::deque<Operation> operations_;
  std::vector<Operation*> free_operations_;
  std::deque<Operation*> queue_;  // not yet submitted
  uint32_t in_flight_ = 0;
  bool submit_posted_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  uint64_t completed_ = 0;  // sequence of the last completed write
  uint64_t durable_ = 0;
  bool failed_ = false;
  std::string failure_;
};

UringDevice::~UringDevice() {
  *alive_ = false;
  // The kernel still reads and writes the buffers of what is in flight.
  while (in_flight_ > 0) {
    const int result = io_uring_submit_and_wait(&ring_, 1);
    if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) break;
    const unsigned count = io_uring_cq_ready(&ring_);
    io_uring_cq_advance(&ring_, count);
    in_flight_ -= count;
  }
  if (ring_ready_) io_uring_queue_exit(&ring_);
  if (pool_ != nullptr) pool_->close();
  ::flock(file_.fd, LOCK_UN);  // the ring may hold the file a little longer
  ::close(file_.fd);
}

Result<> UringDevice::setup_ring() {
  io_uring_params params{};
  params.flags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
  int result = io_uring_queue_init_params(depth_, &ring_, &params);
  deferred_tasks_ = result == 0;
  if (result == -EINVAL) {  // before Linux 6.1
    params = {};
    result = io_uring_queue_init_params(depth_, &ring_, &params);
  }
  if (result != 0) {
    return fail(Errc::unsupported,
                "io_uring is not available ({}); Turbine needs Linux 5.11 or newer with "
                "/proc/sys/kernel/io_uring_disabled = 0 and no seccomp filter against it",
                std::strerror(-result));
  }
  ring_ready_ = true;
  return {};
}

Result<> UringDevice::start(size_t registered_bytes) {
  TRY(setup_ring());
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) return fail(Errc::io, "eventfd: {}", std::strerror(errno));
  completions_.assign(event);
  if (const int result = io_uring_register_eventfd(&ring_, event); result != 0) {
    return fail(Errc::unsupported, "io_uring eventfd: {}", std::strerror(-result));
  }
  if (const int result = io_uring_register_files(&ring_, &file_.fd, 1); result != 0) {
    return fail(Errc::unsupported, "io_uring registered file: {}", std::strerror(-result));
  }
  register_buffers(registered_bytes);
  wait_for_completions();
  return {};
}

void UringDevice::register_buffers(size_t bytes) {
  if (bytes < kSlotBytes) return;
  RegisteredPool* pool = RegisteredPool::create(kSlotBytes, bytes / kSlotBytes);
  if (pool == nullptr) return;
  const auto slots = pool->slots();
  const int result =
      io_uring_register_buffers(&ring_, slots.data(), static_cast<unsigned>(slots.size()));
  if (result != 0) {
    log::info("{}: going on without registered buffers: {} (raise the locked memory limit)", path_,
              std::strerror(-result));
    pool->close();
    return;
  }
  pool_ = pool;
}

void UringDevice::check_range(uint64_t offset, uint64_t size) const {
  CHECK(offset % kPageBytes == 0 && size % kPageBytes == 0 && size > 0);
  CHECK(offset <= file_.size_bytes && size <= file_.size_bytes - offset);
}

std::unexpected<Error> UringDevice::failed() const {
  return fail(Errc::io, "{}", failure_);
}

void UringDevice::fail_for_good(const char* what, const Operation& operation) {
  if (failed_) return;
  failed_ = true;
  failure_ = fmt::format("{}: {} of {} bytes at {} failed: {}", path_, what, operation.size,
                         operation.offset, std::strerror(operation.error));
  log::error("{}; the device is given up", failure_);
}

// --- the calls -------------------------------------------------------------------------------

Task<WriteTicket> UringDevice::write(uint64_t offset, Buffer data) {
  check_range(offset, data.size());
  if (failed_) co_return failed();
  if (reinterpret_cast<uintptr_t>(data.data()) % file_.memory_alignment != 0) {
    data = Buffer::copy_of(data.view());
  }
  Operation* operation = take_operation(Operation::Kind::write, offset, data.size());
  operation->buffer = std::move(data);
  co_await execute(operation);
  if (operation->error != 0) fail_for_good("write", *operation);
  give_back(operation);
  if (failed_) co_return failed();
  co_return WriteTicket{++completed_};
}

Task<WriteTicket> UringDevice::write_durably(uint64_t offset, Buffer data) {
  if (depth_ < 2) co_return co_await Device::write_durably(offset, std::move(data));
  check_range(offset, data.size());
  if (failed_) co_return failed();
  if (reinterpret_cast<uintptr_t>(data.data()) % file_.memory_alignment != 0) {
    data = Buffer::copy_of(data.view());
  }
  Operation* write = take_operation(Operation::Kind::write, offset, data.size());
  Operation* flush = take_operation(Operation::Kind::flush, 0, 0);
  write->buffer = data;
  write->then = flush;
  write->parts_left = 2;
  flush->before = write;
  co_await execute(write);
  const bool whole = write->whole;
  const WriteTicket ticket{flush->covers};
  if (whole && flush->error != 0) fail_for_good("flush", *flush);
  if (!whole && write->error != 0) fail_for_good("write", *write);
  give_back(write);
  give_back(flush);
  if (failed_) co_return failed();
  // Interrupted or short, which a disk hardly does: again, in two steps.
  if (!whole) co_return co_await Device::write_durably(offset, std::move(data));
  durable_ = std::max(durable_, ticket.sequence);
  co_return ticket;
}

Task<Buffer> UringDevice::read(uint64_t offset, size_t size) {
  check_range(offset, size);
  if (failed_) co_return failed();
  Operation* operation = take_operation(Operation::Kind::read, offset, size);
  operation->buffer = size >= kPooledReadBytesMin ? allocate(size) : Buffer::allocate(size);
  co_await execute(operation);
  const int error = operation->error;
  Buffer data = std::move(operation->buffer);
  give_back(operation);
  if (failed_) co_return failed();
  if (error != 0) {
    co_return fail(Errc::io, "{}: read of {} bytes at {} failed: {}", path_, size, offset,
                   std::strerror(error));
  }
  co_return data;
}

Task<> UringDevice::flush() {
  if (failed_) co_return failed();
  Operation* operation = take_operation(Operation::Kind::flush, 0, 0);
  operation->covers = completed_;
  co_await execute(operation);
  if (operation->error != 0) fail_for_good("flush", *operation);
  const uint64_t covers = operation->covers;
  give_back(operation);
  if (failed_) co_return failed();
  durable_ = std::max(durable_, covers);
  co_return Result<>{};
}

Task<> UringDevice::prepare(uint64_t offset, uint64_t size) {
  check_range(offset, size);
  if (failed_) co_return failed();
  Operation* operation = take_operation(Operation::Kind::allocate, offset, size);
  co_await execute(operation);
  const int error = operation->error;
  give_back(operation);
  if (error == 0 || error == EOPNOTSUPP) co_return Result<>{};
  co_return fail(error == ENOSPC ? Errc::no_space : Errc::io,
                 "{}: reserving {} bytes at {} failed: {}", path_, size, offset,
                 std::strerror(error));
}

Task<> UringDevice::discard(uint64_t offset, uint64_t size) {
  check_range(offset, size);
  if (failed_) co_return failed();
  Operation* operation = take_operation(Operation::Kind::punch, offset, size);
  co_await execute(operation);
  give_back(operation);
  co_return Result<>{};
}

// --- the ring --------------------------------------------------------------------------------

Operation* UringDevice::take_operation(Operation::Kind kind, uint64_t offset, uint64_t size) {
  Operation* operation = nullptr;
  if (free_operations_.empty()) {
    operation = &operations_.emplace_back();
  } else {
    operation = free_operations_.back();
    free_operations_.pop_back();
  }
  operation->kind = kind;
  operation->offset = offset;
  operation->size = size;
  return operation;
}

void UringDevice::give_back(Operation* operation) {
  *operation = Operation{};
  free_operations_.push_back(operation);
}

asio::awaitable<void, Executor> UringDevice::execute(Operation* operation) {
  queue_.push_back(operation);
  schedule_submit();
  co_await suspend(executor_, [operation](auto resume) { operation->wake = std::move(resume); });
}

void UringDevice::schedule_submit() {
  if (std::exchange(submit_posted_, true)) return;
  // Runs after the handlers that are ready now, so that what they queue goes in one system call.
  asio::post(executor_, [this, alive = alive_] {
    if (*alive) submit();
  });
}

void UringDevice::submit() {
  submit_posted_ = false;
  uint32_t filled = 0;
  while (!queue_.empty()) {
    Operation* operation = queue_.front();
    const uint32_t parts = operation->then == nullptr ? 1 : 2;  // a chain is submitted whole
    if (in_flight_ + parts > depth_ || io_uring_sq_space_left(&ring_) < parts) break;
    queue_.pop_front();
    push(operation);
    if (operation->then != nullptr) push(operation->then);
    filled += parts;
  }
  if (filled == 0 && io_uring_sq_ready(&ring_) == 0) return;
  const int result = io_uring_submit(&ring_);
  if (result < 0 && result != -EBUSY && result != -EAGAIN && result != -EINTR) {
    log::critical("{}: io_uring_submit: {}", path_, std::strerror(-result));
    CHECK(!"io_uring_submit failed");
  }
  if (io_uring_sq_ready(&ring_) > 0) {  // the kernel took a part, and cut a chain perhaps
    for (Operation& operation : operations_) operation.whole = false;
    schedule_submit();
  }
  reap();
}

void UringDevice::push(Operation* operation) {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  CHECK(sqe != nullptr);
  fill(sqe, operation);
  if (operation->then != nullptr) sqe->flags |= IOSQE_IO_LINK;
  // The write takes its number before any that completes after this: all with lower numbers have
  // completed when the flush starts, and so has this one.
  if (operation->before != nullptr) operation->covers = ++completed_;
  ++in_flight_;
}

void UringDevice::fill(io_uring_sqe* sqe, Operation* operation) {
  const auto offset = static_cast<off_t>(operation->offset);
  const auto size = static_cast<off_t>(operation->size);
  switch (operation->kind) {
    case Operation::Kind::write:
    case Operation::Kind::read:
      fill_transfer(sqe, operation);
      break;
    case Operation::Kind::flush:
      io_uring_prep_fsync(sqe, 0, IORING_FSYNC_DATASYNC);
      break;
    case Operation::Kind::allocate:
      io_uring_prep_fallocate(sqe, 0, FALLOC_FL_KEEP_SIZE, offset, size);
      break;
    case Operation::Kind::punch:
      io_uring_prep_fallocate(sqe, 0, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size);
      break;
  }
  sqe->flags |= IOSQE_FIXED_FILE;
  io_uring_sqe_set_data(sqe, operation);
}

void UringDevice::fill_transfer(io_uring_sqe* sqe, Operation* operation) {
  const Buffer::Storage* storage = operation->buffer.storage();
  const bool fixed = pool_ != nullptr && storage->owner == pool_ && storage->registered_index >= 0;
  std::byte* data = operation->buffer.data() + operation->done;
  const auto size = static_cast<unsigned>(operation->size - operation->done);
  const uint64_t offset = operation->offset + operation->done;
  if (operation->kind == Operation::Kind::write) {
    if (fixed) {
      io_uring_prep_write_fixed(sqe, 0, data, size, offset, storage->registered_index);
    } else {
      io_uring_prep_write(sqe, 0, data, size, offset);
    }
  } else if (fixed) {
    io_uring_prep_read_fixed(sqe, 0, data, size, offset, storage->registered_index);
  } else {
    io_uring_prep_read(sqe, 0, data, size, offset);
  }
}

void UringDevice::wait_for_completions() {
  // Asking for more bytes than an eventfd gives tells asio that it is drained: one read per wake.
  completions_.async_read_some(asio::buffer(completions_count_),
                               [this, alive = alive_](boost::system::error_code error, size_t) {
                                 if (!*alive || error) return;
                                 if (deferred_tasks_) io_uring_get_events(&ring_);
                                 reap();
                                 wait_for_completions();
                               });
}

void UringDevice::reap() {
  // Since Linux 6.13 a call handles only the first 20 or so of what has completed. A flag tells of
  // the rest; the eventfd does not. The flag alone is no reason to go on: the kernel sets it after
  // it has queued the work, and so now and then after that work was done, and then it stays.
  constexpr uint32_t kHandledPerCall = 16;
  for (uint32_t idle_calls = 0;;) {
    io_uring_cqe* cqe = nullptr;
    unsigned head = 0;
    unsigned count = 0;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      complete(static_cast<Operation*>(io_uring_cqe_get_data(cqe)), cqe->res);
      ++count;
    }
    if (count > 0) io_uring_cq_advance(&ring_, count);
    in_flight_ -= count;
    idle_calls = count > 0 ? 0 : idle_calls + 1;
    // By then every operation in flight would have been handled.
    if (idle_calls > in_flight_ / kHandledPerCall + 2) break;
    if (!deferred_tasks_ || (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_TASKRUN) == 0) break;
    io_uring_get_events(&ring_);
  }
  if (!queue_.empty()) schedule_submit();
}

void UringDevice::complete(Operation* operation, int result) {
  if (operation->then != nullptr || operation->before != nullptr) {
    return complete_linked(operation, result);
  }
  if (want_more(operation, result)) {
    queue_.push_front(operation);
    return;
  }
  auto wake = std::exchange(operation->wake, nullptr);
  if (wake) wake();
}

void UringDevice::complete_linked(Operation* operation, int result) {
  Operation* write = operation->before == nullptr ? operation : operation->before;
  if (operation != write) {
    if (result < 0) operation->error = -result;
    if (result == -ECANCELED) write->whole = false;
  } else if (result < 0 || static_cast<uint64_t>(result) < write->size) {
    write->whole = false;
    if (result < 0 && result != -EAGAIN && result != -EINTR) write->error = -result;
  }
  if (--write->parts_left > 0) return;
  auto wake = std::exchange(write->wake, nullptr);
  if (wake) wake();
}

/// Takes one completion into account; true when the rest must be submitted again.
bool UringDevice::want_more(Operation* operation, int result) {
  if (result == -EAGAIN || result == -EINTR) {
    if (++operation->resubmits <= kResubmitsMax) return true;
  }
  if (result < 0) {
    operation->error = -result;
    return false;
  }
  if (operation->kind != Operation::Kind::write && operation->kind != Operation::Kind::read) {
    return false;
  }
  // Remainders start at a whole page, as O_DIRECT wants; a page in part is transferred again.
  const uint64_t done = operation->done + static_cast<uint64_t>(result);
  if (done >= operation->size) return false;
  operation->done = done - done % kPageBytes;
  if (result > 0 && ++operation->resubmits <= kResubmitsMax) return true;
  operation->error = EIO;  // the file ends early
  return false;
}

}  // namespace

Result<std::unique_ptr<Device>> open_uring_device(Reactor& reactor, std::string path,
                                                  uint64_t size_bytes, UringOptions options) {
  if (size_bytes % kPageBytes != 0 || (options.create && size_bytes == 0)) {
    return fail(Errc::invalid, "{}: size {} is not a positive multiple of 4096", path, size_bytes);
  }
  const DirectFile file = TRY(open_direct(path, size_bytes, options.create, options.lock_wait));
  auto device = std::make_unique<UringDevice>(reactor, path, file, options.depth);
  if (auto started = device->start(options.registered_bytes); !started.ok()) {
    return fail(std::move(started).error().within(path));
  }
  return device;
}

}  // namespace turbine::io
