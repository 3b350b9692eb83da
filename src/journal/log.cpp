#include "journal/log.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace turbine::journal {
namespace {

constexpr uint64_t kBatchBytesWanted = uint64_t{1} << 20;
constexpr uint64_t kQueuedBytesMax = uint64_t{8} << 20;

}  // namespace

Log::Log(Executor executor, io::Device& device, Options options, Position recovery, Position end,
         Position last_batch_end)
    : executor_(executor),
      device_(device),
      options_(options),
      recovery_(recovery),
      next_(end.value),
      last_batch_end_(last_batch_end.value),
      flushed_(last_batch_end.value),
      space_(executor),
      gate_(executor) {}

Log::~Log() = default;

Position Log::end() const {
  // Padding and the skipped end of a segment are not counted: never beyond where records will lie.
  return Position{next_ + queued_bytes_};
}

Task<Position> Log::append(Record record, io::WriteTicket depends_on) {
  if (record.payload.size() > kRecordBytesMax) {
    co_return fail(Errc::too_large, "a journal record of {} bytes, at most {}",
                   record.payload.size(), kRecordBytesMax);
  }
  while (queued_bytes_ > kQueuedBytesMax && health_.ok() && !stopping_) {
    CO_TRY(co_await space_.wait());
  }
  if (stopping_) co_return fail(Errc::closed, "the journal is stopping");
  CO_TRY(Result<>(health_));
  const uint64_t bytes = kRecordHeaderBytes + record.payload.size();
  if (queue_.empty() || queue_.back()->builder.bytes() + bytes > kBatchBytesWanted) {
    queue_.push_back(std::make_shared<Batch>(executor_));
  }
  const BatchPtr batch = queue_.back();
  const uint64_t before = batch->builder.empty() ? 0 : batch->builder.bytes();
  const uint64_t offset = batch->builder.add(record);
  queued_bytes_ += batch->builder.bytes() - before;
  batch->depends_on.sequence = std::max(batch->depends_on.sequence, depends_on.sequence);
  ++counters_.records;
  if (!writing_) {
    writing_ = true;
    gate_.spawn("journal", write_batches());
  }
  if (!batch->finished) CO_TRY(co_await batch->done.wait());
  CO_TRY(Result<>(batch->outcome));
  co_return Position{batch->position + offset};
}

Task<> Log::write_batches() {
  while (!queue_.empty()) {
    BatchPtr batch = queue_.front();
    Result<> outcome = co_await write_batch(batch);
    if (!outcome.ok() && health_.ok()) {
      health_ = fail(outcome.error().within("the journal failed; the blade must restart"));
    }
    finish(batch, std::move(outcome));
  }
  writing_ = false;
  co_return Result<>{};
}

Task<> Log::write_batch(BatchPtr batch) {
  CO_TRY(Result<>(health_));
  CO_TRY(co_await wait_for_space(batch));
  // Sealed: records that come now gather in the next batch.
  queue_.pop_front();
  const uint64_t bytes = batch->builder.bytes();
  const uint64_t padded = batch->builder.padded_bytes();
  queued_bytes_ -= bytes;
  batch->position = place(padded);
  Buffer data =
      batch->builder.seal(batch->position, flushed_, last_batch_end_, options_.identity_seed);
  next_ = batch->position + padded;
  const uint64_t offset = options_.region_offset + batch->position % options_.region_bytes;
  const io::WriteTicket ticket = CO_TRY(co_await device_.write(offset, std::move(data)));
  if (!options_.skip_flush_for_test) CO_TRY(co_await device_.flush());
  device_.check_durable(ticket);
  device_.check_durable(batch->depends_on);
  flushed_ = next_;
  last_batch_end_ = next_;
  ++counters_.batches;
  ++counters_.flushes;
  counters_.bytes += padded;
  co_return Result<>{};
}

// The batch may grow while it waits.
Task<> Log::wait_for_space(BatchPtr batch) {
  const uint64_t segment = options_.segment_bytes;
  for (;;) {
    const uint64_t padded = batch->builder.padded_bytes();
    const uint64_t reusable_to = recovery_.value / segment * segment + options_.region_bytes;
    if (place(padded) + padded <= reusable_to) co_return Result<>{};
    if (stopping_) co_return fail(Errc::closed, "the journal is full and stopping");
    CO_TRY(co_await space_.wait());
  }
}

void Log::finish(const BatchPtr& batch, Result<> outcome) {
  if (!queue_.empty() && queue_.front() == batch) {  // failed before it was sealed
    queued_bytes_ -= batch->builder.bytes();
    queue_.pop_front();
  }
  batch->outcome = std::move(outcome);
  batch->finished = true;
  batch->done.notify_all();
  space_.notify_all();
}

uint64_t Log::place(uint64_t bytes) const {
  const uint64_t segment = options_.segment_bytes;
  const uint64_t segment_end = (next_ / segment + 1) * segment;
  return next_ + bytes <= segment_end ? next_ : segment_end;
}

void Log::set_recovery_position(Position position) {
  CHECK(position.value <= end().value);
  if (position <= recovery_) return;
  recovery_ = position;
  space_.notify_all();
}

Task<> Log::stop() {
  stopping_ = true;
  space_.notify_all();
  co_return co_await gate_.close();
}

}  // namespace turbine::journal
