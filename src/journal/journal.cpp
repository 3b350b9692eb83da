#include "journal/journal.hpp"

#include <deque>
#include <vector>

#include "base/async.hpp"
#include "base/log.hpp"
#include "journal/batch.hpp"
#include "journal/replay.hpp"

namespace turbine::journal {
namespace {

/// A batch from its first record until its waiters are told.
struct Batch {
  Batch(uint64_t position, BatchBuilder::Allocate allocate)
      : builder(position, std::move(allocate)) {}
  BatchBuilder builder;
  io::WriteTicket depends_on;  // the latest of its records
  bool done = false;
  std::optional<Error> error;
  std::vector<std::move_only_function<void()>> waiters;
};

/// Group commit with one batch at a time: while it is written and flushed, the next one gathers.
/// On disk when append() returns: the record, all records before it, and every data write that had
/// completed when it was appended.
class JournalOnDevice final : public Journal {
 public:
  JournalOnDevice(Executor executor, io::Device& device, Options options, Position recover_from,
                  ReplayEnd end);

  Task<Position> append(RecordView record, io::WriteTicket depends_on) override;
  void set_recovery_position(Position position) override;
  Position recovery_position() const override { return Position{recovery_}; }
  Position end() const override;
  Position durable_end() const override { return {durable_end_}; }
  uint64_t used_bytes() const override { return end().value - recovery_; }
  uint64_t capacity_bytes() const override {
    return options_.region_bytes - options_.segment_bytes;
  }
  Task<> stop() override;
  Counters counters() const override { return counters_; }

 private:
  static Task<Position> wait_for(Executor executor, std::shared_ptr<Batch> batch,
                                 Position position);
  static Task<Position> refuse(Error error);
  Batch& batch_for(size_t bytes);
  void close_open_batch();
  bool has_space(uint64_t position) const;
  Task<> write_batches();
  Task<> write_batch(Batch& batch);
  void finish(Batch& batch, std::optional<Error> error);
  void fail_queue(Error error);

  const Executor executor_;
  io::Device& device_;
  const Options options_;

  // The log's end.
  uint64_t next_position_;  // of the batch after the open one
  uint64_t last_sequence_;  // written last
  uint64_t last_checksum_;  // of that batch
  uint64_t durable_end_;    // end of the last flushed batch
  uint32_t run_;
  uint64_t recovery_;

  std::deque<std::shared_ptr<Batch>> queue_;  // in order; the last may be open
  std::shared_ptr<Batch> open_;               // takes records; null: the next one opens a batch
  bool writing_ = false;
  bool stopping_ = false;
  std::optional<Error> failure_;
  Event space_;
  Counters counters_;
  Gate gate_;  // last: proves that nothing above is in use
};

JournalOnDevice::JournalOnDevice(Executor executor, io::Device& device, Options options,
                                 Position recover_from, ReplayEnd end)
    : executor_(executor),
      device_(device),
      options_(options),
      next_position_(end.position),
      last_sequence_(end.sequence),
      last_checksum_(end.checksum),
      durable_end_(end.position),
      run_(end.run + 1),
      recovery_(recover_from.value),
      space_(executor),
      gate_(executor) {}

// --- appending -------------------------------------------------------------------------------

Task<Position> JournalOnDevice::append(RecordView record, io::WriteTicket depends_on) {
  const size_t bytes = record_bytes(record);
  if (failure_) return refuse(*failure_);
  if (stopping_) return refuse({Errc::closed, "the journal is stopping"});
  if (record.payload.size() > kRecordBytesMax ||
      kBatchHeaderBytes + bytes > options_.segment_bytes) {
    return refuse({Errc::too_large, fmt::format("journal record of {} bytes", bytes)});
  }
  Batch& batch = batch_for(bytes);
  const Position position = batch.builder.add(record);
  batch.depends_on.sequence = std::max(batch.depends_on.sequence, depends_on.sequence);
  ++counters_.records;
  if (!std::exchange(writing_, true)) gate_.spawn("journal", write_batches());
  return wait_for(executor_, open_, position);
}

Task<Position> JournalOnDevice::refuse(Error error) {
  co_return fail(std::move(error));
}

Task<Position> JournalOnDevice::wait_for(Executor executor, std::shared_ptr<Batch> batch,
                                         Position position) {
  if (!batch->done) {
    co_await suspend(executor,
                     [batch](auto resume) { batch->waiters.emplace_back(std::move(resume)); });
  }
  if (batch->error) co_return fail(*batch->error);
  co_return position;
}

/// The open batch, or a new one where `bytes` more would not fit it or its segment.
Batch& JournalOnDevice::batch_for(size_t bytes) {
  const auto room = [&](uint64_t position) {
    return options_.segment_bytes - position % options_.segment_bytes;
  };
  if (open_ != nullptr) {
    const uint64_t limit = std::min<uint64_t>(kBatchBytesMax, room(open_->builder.position()));
    if (open_->builder.bytes() + bytes > limit) close_open_batch();
  }
  if (open_ == nullptr) {
    if (kBatchHeaderBytes + bytes > room(next_position_)) {
      next_position_ += room(next_position_);  // the rest of the segment stays unused
    }
    open_ = std::make_shared<Batch>(next_position_,
                                    [this](size_t size) { return device_.allocate(size); });
    queue_.push_back(open_);
  }
  return *open_;
}

void JournalOnDevice::close_open_batch() {
  const uint64_t end = open_->builder.position() + open_->builder.bytes();
  next_position_ = (end + kPageBytes - 1) / kPageBytes * kPageBytes;
  open_ = nullptr;
}

Position JournalOnDevice::end() const {
  if (open_ == nullptr) return Position{next_position_};
  return Position{open_->builder.position() + open_->builder.bytes()};
}

// --- writing ---------------------------------------------------------------------------------

bool JournalOnDevice::has_space(uint64_t position) const {
  const uint64_t segments = options_.region_bytes / options_.segment_bytes;
  return position / options_.segment_bytes <
         recovery_segment(recovery_, options_.segment_bytes) + segments;
}

Task<> JournalOnDevice::write_batches() {
  UseAwaitable token;
  co_await asio::post(executor_, token);  // what is ready to append now shares the first batch
  while (!queue_.empty()) {
    const std::shared_ptr<Batch> batch = queue_.front();
    if (!has_space(batch->builder.position())) {
      if (stopping_) {
        fail_queue({Errc::closed, "the journal was stopped while it was full"});
        break;
      }
      CO_TRY(co_await space_.wait());
      continue;
    }
    queue_.pop_front();
    if (open_ == batch) close_open_batch();
    auto written = co_await write_batch(*batch);
    if (!written.ok()) {
      failure_ = written.error().within("journal");
      finish(*batch, failure_);
      fail_queue(*failure_);
      break;
    }
    finish(*batch, std::nullopt);
  }
  writing_ = false;
  co_return Result<>{};
}

Task<> JournalOnDevice::write_batch(Batch& batch) {
  BatchHeader header{.sequence = last_sequence_ + 1,
                     .flushed_sequence = last_sequence_,
                     .previous_checksum = last_checksum_,
                     .run = run_};
  const uint64_t position = batch.builder.position();
  Buffer bytes = batch.builder.finish(
      header, segment_seed(options_.identity_seed, position / options_.segment_bytes));
  counters_.bytes += bytes.size();
  const uint64_t place = device_offset_of(options_, position);
  io::WriteTicket ticket;
  if (options_.skip_flush_for_test) {
    ticket = CO_TRY(co_await device_.write(place, std::move(bytes)));
  } else {
    ticket = CO_TRY(co_await device_.write_durably(place, std::move(bytes)));
  }
  device_.check_durable(ticket);
  device_.check_durable(batch.depends_on);
  last_sequence_ = header.sequence;
  last_checksum_ = header.checksum;
  durable_end_ = header.end();
  ++counters_.batches;
  ++counters_.flushes;
  co_return Result<>{};
}

void JournalOnDevice::finish(Batch& batch, std::optional<Error> error) {
  batch.done = true;
  batch.error = std::move(error);
  auto waiters = std::exchange(batch.waiters, {});
  for (auto& wake : waiters) wake();
}

void JournalOnDevice::fail_queue(Error error) {
  open_ = nullptr;
  for (auto& batch : std::exchange(queue_, {})) finish(*batch, error);
  if (!failure_) failure_ = std::move(error);
}

void JournalOnDevice::set_recovery_position(Position position) {
  CHECK(position <= end());
  recovery_ = std::max(recovery_, std::min(position.value, durable_end_));
  space_.notify_all();
}

Task<> JournalOnDevice::stop() {
  stopping_ = true;
  space_.notify_all();
  co_return co_await gate_.close();
}

Result<> check_options(const io::Device& device, const Options& options) {
  const bool aligned = options.region_offset % kPageBytes == 0 &&
                       options.segment_bytes % kPageBytes == 0 && options.segment_bytes > 0 &&
                       options.region_bytes % options.segment_bytes == 0;
  if (!aligned || options.region_bytes / options.segment_bytes < 3) {
    return fail(Errc::invalid,
                "journal region of {} bytes in segments of {}: at least 3 are needed",
                options.region_bytes, options.segment_bytes);
  }
  if (options.region_offset + options.region_bytes > device.size_bytes()) {
    return fail(Errc::invalid, "the journal region ends at {}, the device at {}",
                options.region_offset + options.region_bytes, device.size_bytes());
  }
  return {};
}

}  // namespace

Task<> Journal::format(io::Device& device, Options options) {
  constexpr size_t kWriteBytes = size_t{1} << 20;
  constexpr size_t kWritesAtOnce = 8;
  CO_TRY(check_options(device, options));
  const Buffer zeroes = Buffer::zeroed(kWriteBytes);
  uint64_t at = 0;
  while (at < options.region_bytes) {
    std::vector<Task<io::WriteTicket>> writes;
    for (; writes.size() < kWritesAtOnce && at < options.region_bytes; at += kWriteBytes) {
      const size_t size = std::min<uint64_t>(kWriteBytes, options.region_bytes - at);
      writes.push_back(device.write(options.region_offset + at, zeroes.slice(0, size)));
    }
    for (auto& written : co_await when_all(std::move(writes))) CO_TRY(std::move(written));
  }
  co_return co_await device.flush();
}

Task<std::unique_ptr<Journal>> Journal::open(Executor executor, io::Device& device, Options options,
                                             Position recover_from, ReplayHandler handler,
                                             ReplaySummary* summary) {
  CO_TRY(check_options(device, options));
  Replay replay(device, options, recover_from, std::move(handler));
  const ReplayEnd end = CO_TRY(co_await replay.run());
  // What was replayed may stand in the device's cache only, and must not vanish again.
  CO_TRY(co_await device.flush());
  if (summary != nullptr) *summary = replay.summary();
  co_return std::make_unique<JournalOnDevice>(executor, device, options, recover_from, end);
}

}  // namespace turbine::journal
