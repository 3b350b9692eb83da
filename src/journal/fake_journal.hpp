// FakeJournal: a journal in memory for tests: durable after a millisecond, in order.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "journal/journal.hpp"

namespace turbine::journal {

/// What is left of a journal after a crash.
struct FakeLog {
  std::vector<Record> durable;
  bool open = true;
  uint64_t appended = 0;
  uint64_t crash_at_append = 0;  // this append and later ones are lost; 0: never
  bool full = false;             // appends wait until the recovery position moves
  bool stuck = false;            // the device takes nothing
};

class FakeJournal final : public Journal {
 public:
  FakeJournal(Clock& clock, std::shared_ptr<FakeLog> log) : clock_(clock), log_(std::move(log)) {
    end_ = log_->durable.size();
    log_->open = true;
  }
  Task<Position> append(RecordView record, io::WriteTicket) override {
    return do_append(clock_, log_, Position{end_++}, record.copy());
  }
  void set_recovery_position(Position position) override {
    recovery_ = position;
    log_->full = false;
  }
  Position recovery_position() const override { return recovery_; }
  Position end() const override { return {end_}; }
  Position durable_end() const override { return {log_->durable.size()}; }
  uint64_t used_bytes() const override { return 0; }
  uint64_t capacity_bytes() const override { return 1 << 20; }
  Task<> stop() override { co_return Result<>{}; }
  Counters counters() const override { return {}; }

 private:
  static Task<Position> do_append(Clock& clock, std::shared_ptr<FakeLog> log, Position position,
                                  Record record) {
    ++log->appended;
    if (log->crash_at_append != 0 && log->appended >= log->crash_at_append) log->open = false;
    do {
      CO_TRY(co_await clock.sleep_for(std::chrono::milliseconds(1)));
    } while ((log->full || log->stuck) && log->open);
    if (!log->open) co_return fail(Errc::closed, "the power is gone");
    log->durable.push_back(std::move(record));
    co_return position;
  }
  Clock& clock_;
  std::shared_ptr<FakeLog> log_;
  uint64_t end_ = 0;
  Position recovery_{};
};

}  // namespace turbine::journal
