// The journal against a naive model, under power cuts at every kind of moment.
#include <gtest/gtest.h>

#include <deque>
#include <optional>

#include "base/async.hpp"
#include "base/rng.hpp"
#include "io/sim_clock.hpp"
#include "io/sim_device.hpp"
#include "journal/journal.hpp"

namespace turbine::journal {
namespace {

constexpr Options kOptions{.region_offset = 8192,
                           .region_bytes = uint64_t{5} * (32 << 10),
                           .segment_bytes = 32 << 10,
                           .identity_seed = 77};

/// What the log must hold from the recovery position on: all acknowledged records, then any
/// number of those that followed, in order.
struct ModelRecord {
  uint64_t number = 0;
  std::string payload;
  std::optional<Position> acknowledged;
};

class Crasher {
 public:
  explicit Crasher(uint64_t seed) : rng_(seed), disk_(1 << 20, seed + 1) {
    device_.emplace(disk_, clock_);
    EXPECT_TRUE(clock_.run(Journal::format(*device_, kOptions)).ok());
  }

  void run_round(uint64_t crash_after_ios) {
    reopen();
    if (::testing::Test::HasFailure()) return;
    disk_.faults.crash_io = disk_.io_count() + crash_after_ios;
    disk_.faults.crash_loss =
        std::array{io::CrashLoss::torn, io::CrashLoss::everything, io::CrashLoss::random_subset,
                   io::CrashLoss::nothing}[rng_.below(4)];
    Gate gate(clock_.executor());
    for (int i = 0; i < 2000 && device_->is_open(); ++i) {
      model_.push_back({next_number_, payload_of(next_number_), {}});
      ++next_number_;
      gate.spawn("append", append(model_.back()));
      if (rng_.chance(1, 3)) clock_.advance(std::chrono::microseconds(rng_.below(400)));
      if (journal_->used_bytes() > journal_->capacity_bytes() / 2) move_recovery_position();
    }
    clock_.run_until([&] { return !device_->is_open(); }, std::chrono::seconds(10));
    if (device_->is_open()) device_->crash(disk_.faults.crash_loss);
    EXPECT_TRUE(clock_.run(journal_->stop()).ok());
    EXPECT_TRUE(clock_.run(gate.close()).ok());
    journal_ = nullptr;
    crashes_ += 1;
  }
  uint64_t acknowledged_total() const { return acknowledged_total_; }
  const io::SimDisk& disk() const { return disk_; }

 private:
  static std::string payload_of(uint64_t number) {
    Rng rng(number);
    const uint64_t size = rng.chance(1, 10) ? rng.below(12000) : rng.below(200);
    std::string payload(8 + size, '\0');
    rng.fill(std::as_writable_bytes(std::span(payload)));
    std::memcpy(payload.data(), &number, sizeof number);
    return payload;
  }

  Task<> append(ModelRecord& entry) {
    Record record{RecordType::entry, PartitionId(1), Term(1), Lsn(entry.number), entry.payload};
    entry.acknowledged = CO_TRY(co_await journal_->append(std::move(record)));
    ++acknowledged_total_;
    co_return Result<>{};
  }

  /// To some acknowledged record; the ones before are forgotten. The model keeps it as durable.
  void move_recovery_position() {
    if (!model_.front().acknowledged) return;
    const size_t steps = rng_.below(model_.size());
    for (size_t i = 0; i < steps && model_[1].acknowledged; ++i) model_.pop_front();
    recover_from_ = *model_.front().acknowledged;
    journal_->set_recovery_position(recover_from_);
  }

  Task<> check(Record record, Position position) {
    EXPECT_LT(replayed_, model_.size()) << "an invented record";
    if (replayed_ >= model_.size()) co_return fail(Errc::corrupt, "invented");
    ModelRecord& expected = model_[replayed_++];
    EXPECT_EQ(record.lsn.value, expected.number);
    EXPECT_EQ(record.payload, expected.payload);
    if (expected.acknowledged) EXPECT_EQ(position, *expected.acknowledged);
    expected.acknowledged = position;
    co_return Result<>{};
  }

  void reopen() {
    disk_.faults.crash_io = 0;
    device_.emplace(disk_, clock_);
    replayed_ = 0;
    ReplaySummary summary;
    size_t acknowledged = 0;
    while (acknowledged < model_.size() && model_[acknowledged].acknowledged) ++acknowledged;
    auto opened = clock_.run(Journal::open(
        clock_.executor(), *device_, kOptions, recover_from_,
        [this](const Record& record, Position position, bool) { return check(record, position); },
        &summary));
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    EXPECT_FALSE(summary.damaged);
    EXPECT_GE(replayed_, acknowledged) << "an acknowledged record is gone";
    EXPECT_EQ(summary.record_count, replayed_);
    model_.resize(replayed_);
    journal_ = std::move(*opened);
  }

  Rng rng_;
  io::SimClock clock_;
  io::SimDisk disk_;
  std::optional<io::SimDevice> device_;
  std::unique_ptr<Journal> journal_;
  std::deque<ModelRecord> model_;
  Position recover_from_;
  uint64_t next_number_ = 1;
  size_t replayed_ = 0;
  uint64_t acknowledged_total_ = 0;
  int crashes_ = 0;
};

TEST(JournalCrash, LosesAndInventsNothingWhereverThePowerIsCut) {
  uint64_t acknowledged = 0;
  uint64_t torn = 0;
  uint64_t lost = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Crasher crasher(seed);
    Rng rng(seed);
    for (int round = 0; round < 25; ++round) crasher.run_round(1 + rng.below(60));
    ASSERT_FALSE(HasFailure());
    acknowledged += crasher.acknowledged_total();
    torn += crasher.disk().counters().torn_writes;
    lost += crasher.disk().counters().lost_unsynced_writes;
  }
  EXPECT_GT(acknowledged, 1000U);
  EXPECT_GT(torn, 0U);
  EXPECT_GT(lost, 0U);
}

TEST(JournalCrash, SurvivesAPowerCutAtEachOfItsFirstIos) {
  for (uint64_t io = 1; io <= 40; ++io) {
    SCOPED_TRACE(testing::Message() << "I/O " << io);
    Crasher crasher(io * 1000);
    for (int round = 0; round < 5; ++round) crasher.run_round(io);
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace turbine::journal
