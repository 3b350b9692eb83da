// The Journal over a device.
#pragma once

#include <deque>
#include <memory>

#include "base/async.hpp"
#include "journal/batch.hpp"
#include "journal/journal.hpp"

namespace turbine::journal {

/// A writer coroutine takes one batch after the other: write, flush, wake those who wait. While one
/// is on its way the next gathers, so the flush rate adapts to the device. The batch after a batch
/// is written only when that is durable: what replay finds behind a bad batch proves damage.
class Log final : public Journal {
 public:
  Log(Executor executor, io::Device& device, Options options, Position recovery, Position end,
      Position last_batch_end);
  ~Log() override;

  Task<Position> append(Record record, io::WriteTicket depends_on) override;
  void set_recovery_position(Position position) override;
  Position recovery_position() const override { return recovery_; }
  Position end() const override;
  uint64_t used_bytes() const override { return end().value - recovery_.value; }
  uint64_t capacity_bytes() const override { return options_.region_bytes; }
  Task<> stop() override;
  Counters counters() const override { return counters_; }

 private:
  struct Batch {
    explicit Batch(Executor executor) : done(executor) {}
    BatchBuilder builder;
    uint64_t position = 0;  // set when sealed
    io::WriteTicket depends_on;
    Event done;
    bool finished = false;
    Result<> outcome;
  };
  using BatchPtr = std::shared_ptr<Batch>;

  Task<> write_batches();
  Task<> write_batch(BatchPtr batch);
  Task<> wait_for_space(BatchPtr batch);
  void finish(const BatchPtr& batch, Result<> outcome);
  /// Where a batch of `bytes` goes: never across the end of a segment.
  uint64_t place(uint64_t bytes) const;

  Executor executor_;
  io::Device& device_;
  Options options_;
  Position recovery_;
  uint64_t next_ = 0;  // where the next batch may go
  uint64_t last_batch_end_ = 0;
  uint64_t flushed_ = 0;        // everything before is durable
  std::deque<BatchPtr> queue_;  // the last one still takes records
  uint64_t queued_bytes_ = 0;
  bool writing_ = false;
  bool stopping_ = false;
  Event space_;      // the recovery position moved, or the queue shrank
  Result<> health_;  // after a failure every append gets it
  Counters counters_;
  Gate gate_;
};

}  // namespace turbine::journal
