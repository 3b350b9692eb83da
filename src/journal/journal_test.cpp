#include "journal/journal.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "base/async.hpp"
#include "io/sim_clock.hpp"
#include "io/sim_device.hpp"

namespace turbine::journal {
namespace {

constexpr uint64_t kSegmentBytes = 64 << 10;
constexpr uint64_t kSegments = 4;
constexpr Options kOptions{.region_offset = 8192,
                           .region_bytes = kSegments * kSegmentBytes,
                           .segment_bytes = kSegmentBytes,
                           .identity_seed = 77};

Record record(std::string payload) {
  return {RecordType::entry, PartitionId(1), Term(2), Lsn(3), std::move(payload)};
}

Task<> remember(std::vector<std::string>& out, std::vector<bool>& unflushed, Record record,
                bool maybe_unflushed) {
  out.push_back(std::move(record.payload));
  unflushed.push_back(maybe_unflushed);
  co_return Result<>{};
}

Task<> append_one(Journal& journal, std::string payload, std::optional<Result<Position>>& out,
                  io::WriteTicket ticket = {}) {
  out.emplace(co_await journal.append(record(std::move(payload)), ticket));
  co_return Result<>{};
}

struct Fixture {
  io::SimClock clock;
  io::SimDisk disk{1 << 20, 1};
  std::optional<io::SimDevice> device{std::in_place, disk, clock};
  std::unique_ptr<Journal> journal;
  std::vector<std::string> replayed;
  std::vector<bool> unflushed;
  ReplaySummary summary;
  Gate gate{clock.executor()};

  Fixture() {
    EXPECT_TRUE(clock.run(Journal::format(*device, kOptions)).ok());
    EXPECT_TRUE(open().ok());
  }
  ~Fixture() { close(); }
  Result<> open(Position from = {}) {
    replayed.clear();
    unflushed.clear();
    summary = {};
    auto opened = clock.run(Journal::open(
        clock.executor(), *device, kOptions, from,
        [this](const Record& r, Position, bool maybe) {
          return remember(replayed, unflushed, r, maybe);
        },
        &summary));
    if (!opened.ok()) return fail(opened.error());
    journal = std::move(*opened);
    return {};
  }
  void close() {
    if (journal == nullptr) return;
    EXPECT_TRUE(clock.run(journal->stop()).ok());
    journal = nullptr;
    EXPECT_TRUE(clock.run(gate.close()).ok());
  }
  Result<> power_cycle(io::CrashLoss loss, Position from = {}) {
    device->crash(loss);
    clock.run_until_idle();
    EXPECT_TRUE(clock.run(journal->stop()).ok());
    journal = nullptr;
    device.emplace(disk, clock);
    return open(from);
  }
  Result<Position> append(std::string payload) {
    return clock.run(journal->append(record(std::move(payload))));
  }
};

TEST(Journal, BringsBackAcknowledgedRecordsInOrderAfterAPowerCut) {
  Fixture f;
  std::vector<std::string> wanted;
  for (int i = 0; i < 10; ++i) {
    wanted.emplace_back(static_cast<size_t>(i * 300), static_cast<char>('a' + i));
    ASSERT_TRUE(f.append(wanted.back()).ok());
  }
  ASSERT_TRUE(f.power_cycle(io::CrashLoss::everything).ok());
  EXPECT_EQ(f.replayed, wanted);
  EXPECT_EQ(f.summary.record_count, 10U);
  EXPECT_FALSE(f.summary.damaged);
  EXPECT_FALSE(f.unflushed[8]);
  EXPECT_TRUE(f.unflushed[9]);
}

TEST(Journal, SharesOneFlushAmongRecordsAppendedTogether) {
  Fixture f;
  std::vector<std::optional<Result<Position>>> results(200);
  for (auto& out : results) f.gate.spawn("append", append_one(*f.journal, "record", out));
  ASSERT_TRUE(f.clock.run_until([&] { return f.gate.count() == 0; }));
  for (size_t i = 1; i < results.size(); ++i) {
    EXPECT_GT(results[i]->value(), results[i - 1]->value());
  }
  EXPECT_EQ(f.journal->counters().records, 200U);
  EXPECT_LE(f.journal->counters().flushes, 2U);
}

TEST(Journal, OrdersRecordsByCallNotByAwait) {
  Fixture f;
  auto first = f.journal->append(record("first"));
  auto second = f.journal->append(record("second"));
  const Position second_at = f.clock.run(std::move(second)).value();
  EXPECT_LT(f.clock.run(std::move(first)).value(), second_at);
}

TEST(Journal, StartsReplayAtTheRecoveryPositionInsideABatch) {
  Fixture f;
  std::vector<std::optional<Result<Position>>> results(10);
  for (size_t i = 0; i < results.size(); ++i) {
    f.gate.spawn("append", append_one(*f.journal, std::to_string(i), results[i]));
  }
  ASSERT_TRUE(f.clock.run_until([&] { return f.gate.count() == 0; }));
  const Position from = results[6]->value();
  f.journal->set_recovery_position(from);
  ASSERT_TRUE(f.power_cycle(io::CrashLoss::everything, from).ok());
  EXPECT_EQ(f.replayed, (std::vector<std::string>{"6", "7", "8", "9"}));
}

TEST(Journal, ReusesSegmentsManyTimesOver) {
  Fixture f;
  std::string last;
  for (int i = 0; i < 300; ++i) {
    last = std::to_string(i) + std::string(10000, 'x');
    const Position position = f.append(last).value();
    f.journal->set_recovery_position(position);
  }
  EXPECT_GT(f.journal->end().value, 8 * kOptions.region_bytes);
  const Position from = f.journal->recovery_position();
  ASSERT_TRUE(f.power_cycle(io::CrashLoss::everything, from).ok());
  EXPECT_EQ(f.replayed, std::vector<std::string>{last});
  EXPECT_FALSE(f.summary.damaged);
}

TEST(Journal, WaitsWhileFullUntilTheRecoveryPositionMoves) {
  Fixture f;
  std::vector<Position> positions;
  positions.reserve(10);
  std::optional<Result<Position>> waiting;
  while (true) {
    waiting.reset();
    f.gate.spawn("append", append_one(*f.journal, std::string(20000, 'x'), waiting));
    f.clock.advance(std::chrono::seconds(1));
    if (!waiting.has_value()) break;
    positions.push_back(waiting->value());
  }
  EXPECT_GE(positions.size() * 20000, (kSegments - 1) * kSegmentBytes * 8 / 10);
  f.journal->set_recovery_position(positions[positions.size() / 2]);
  ASSERT_TRUE(f.clock.run_until([&] { return waiting.has_value(); }));
  EXPECT_TRUE(waiting->ok());
  const Position from = f.journal->recovery_position();
  ASSERT_TRUE(f.power_cycle(io::CrashLoss::everything, from).ok());
  EXPECT_EQ(f.replayed.size(), positions.size() - positions.size() / 2 + 1);
}

TEST(Journal, StopsThoughItIsFull) {
  Fixture f;
  std::vector<std::optional<Result<Position>>> results(30);
  for (auto& out : results) {
    f.gate.spawn("append", append_one(*f.journal, std::string(20000, 'x'), out));
  }
  f.clock.advance(std::chrono::seconds(1));
  f.close();
  EXPECT_TRUE(results.front()->ok());
  EXPECT_TRUE(results.back()->failed_with(Errc::closed));
}

TEST(Journal, TellsDamageOfFlushedRecordsFromATornTail) {
  Fixture f;
  std::vector<Position> positions;
  for (int i = 0; i < 10; ++i) positions.push_back(f.append(std::to_string(i)).value());
  f.disk.flip_bit(kOptions.region_offset + positions[4].value + 20, 0);
  ASSERT_TRUE(f.power_cycle(io::CrashLoss::everything).ok());
  EXPECT_TRUE(f.summary.damaged);
  EXPECT_FALSE(f.summary.torn_tail);
  EXPECT_EQ(f.replayed.size(), 4U);
  // What followed the damage stays dead, though its bytes are whole and in place.
  ASSERT_TRUE(f.append("new").ok());
  ASSERT_TRUE(f.power_cycle(io::CrashLoss::everything).ok());
  EXPECT_EQ(f.replayed, (std::vector<std::string>{"0", "1", "2", "3", "new"}));
  EXPECT_FALSE(f.summary.damaged);
}

TEST(Journal, TakesABrokenLastBatchForATornTail) {
  Fixture f;
  ASSERT_TRUE(f.append("kept").ok());
  const Position last = f.append("torn").value();
  f.disk.flip_bit(kOptions.region_offset + last.value + 33, 0);
  ASSERT_TRUE(f.power_cycle(io::CrashLoss::everything).ok());
  EXPECT_FALSE(f.summary.damaged);
  EXPECT_TRUE(f.summary.torn_tail);
  EXPECT_EQ(f.replayed, std::vector<std::string>{"kept"});
}

TEST(Journal, ReportsUnreadableSectorsAsDamage) {
  Fixture f;
  ASSERT_TRUE(f.append("0").ok());
  const Position position = f.append("1").value();
  ASSERT_TRUE(f.append("2").ok());
  f.close();
  f.disk.faults.unreadable = {{kOptions.region_offset + position.value / 4096 * 4096, 512}};
  ASSERT_TRUE(f.open().ok());
  EXPECT_TRUE(f.summary.damaged);
  EXPECT_EQ(f.replayed, std::vector<std::string>{"0"});
}

TEST(Journal, StepsOverDamageBeforeItsRecoveryPosition) {
  Fixture f;
  Position from;
  for (int i = 0; i < 5; ++i) from = f.append(std::to_string(i)).value();
  f.close();
  f.disk.flip_bit(kOptions.region_offset + 70, 0);
  ASSERT_TRUE(f.open(from).ok());
  EXPECT_EQ(f.replayed, std::vector<std::string>{"4"});
  EXPECT_FALSE(f.summary.damaged);
  ASSERT_TRUE(f.append("5").ok());
  ASSERT_TRUE(f.power_cycle(io::CrashLoss::everything, from).ok());
  EXPECT_EQ(f.replayed, (std::vector<std::string>{"4", "5"}));
}

TEST(Journal, RefusesALogThatIsBadAtItsRecoveryPosition) {
  Fixture f;
  Position from;
  for (int i = 0; i < 5; ++i) from = f.append(std::to_string(i)).value();
  f.close();
  f.disk.flip_bit(kOptions.region_offset + from.value + 3, 0);
  EXPECT_TRUE(f.open(from).failed_with(Errc::corrupt));
}

TEST(Journal, RefusesALogWhoseFirstBatchIsBad) {
  Fixture f;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(f.append(std::to_string(i)).ok());
  f.close();
  f.disk.flip_bit(kOptions.region_offset + 70, 0);
  EXPECT_TRUE(f.open().failed_with(Errc::corrupt));
}

// A store that was lost, or put back from an old copy, must not pass for an empty one.
TEST(Journal, RefusesARecoveryPositionThatItHasOverwritten) {
  Fixture f;
  for (int i = 0; i < 40; ++i) {
    const Position position = f.append(std::string(10000, 'x')).value();
    f.journal->set_recovery_position(position);
  }
  ASSERT_GT(f.journal->end().value, kOptions.region_bytes);
  const Position newest = f.journal->recovery_position();
  f.close();
  EXPECT_TRUE(f.open().failed_with(Errc::corrupt));
  EXPECT_TRUE(f.open(Position{1}).failed_with(Errc::corrupt));
  EXPECT_TRUE(f.open(newest).ok());
}

TEST(Journal, SeesNothingOfAnotherIncarnation) {
  Fixture f;
  ASSERT_TRUE(f.append("old").ok());
  f.close();
  Options other = kOptions;
  other.identity_seed = 78;
  auto opened =
      f.clock.run(Journal::open(f.clock.executor(), *f.device, other, {}, nullptr, &f.summary));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(f.summary.record_count, 0U);
  EXPECT_FALSE(f.summary.damaged);
}

TEST(Journal, FailsAllAppendsAfterAFailedFlush) {
  Fixture f;
  ASSERT_TRUE(f.append("good").ok());
  f.disk.faults.fail_flushes = true;
  EXPECT_TRUE(f.append("bad").failed_with(Errc::io));
  EXPECT_TRUE(f.append("after").failed_with(Errc::io));
  EXPECT_EQ(f.disk.counters().failed_ios, 1U);
}

TEST(Journal, RefusesRecordsThatFitNoSegment) {
  Fixture f;
  EXPECT_TRUE(f.append(std::string(kSegmentBytes, 'x')).failed_with(Errc::too_large));
  EXPECT_TRUE(f.append(std::string(kSegmentBytes - 96, 'x')).ok());
}

/// A device that forgets to flush: acknowledging over it must kill the process.
class FlushlessDevice final : public io::Device {
 public:
  explicit FlushlessDevice(io::Device& inner) : inner_(inner) {}
  uint64_t size_bytes() const override { return inner_.size_bytes(); }
  Task<io::WriteTicket> write(uint64_t offset, Buffer data) override {
    return inner_.write(offset, std::move(data));
  }
  Task<Buffer> read(uint64_t offset, size_t size) override { return inner_.read(offset, size); }
  Task<> flush() override { co_return Result<>{}; }
  Task<> prepare(uint64_t offset, uint64_t size) override { return inner_.prepare(offset, size); }
  Task<> discard(uint64_t offset, uint64_t size) override { return inner_.discard(offset, size); }
  uint64_t durable_sequence() const override { return inner_.durable_sequence(); }

 private:
  io::Device& inner_;
};

void append_without_flush() {
  Fixture f;
  FlushlessDevice flushless(*f.device);
  auto journal =
      f.clock.run(Journal::open(f.clock.executor(), flushless, kOptions, {}, nullptr, nullptr))
          .value();
  std::ignore = f.clock.run(journal->append(record("x")));
}

TEST(Journal, DiesRatherThanAcknowledgeWhatWasNotFlushed) {
  EXPECT_DEATH(append_without_flush(), "durable_sequence");
}

void append_with_unflushed_data() {
  Fixture f;
  const io::WriteTicket future{1'000'000};
  std::optional<Result<Position>> out;
  f.gate.spawn("append", append_one(*f.journal, "x", out, future));
  f.clock.run_until([&] { return out.has_value(); });
}

TEST(Journal, DiesRatherThanAcknowledgeARecordWhoseDataWasNotFlushed) {
  EXPECT_DEATH(append_with_unflushed_data(), "durable_sequence");
}

}  // namespace
}  // namespace turbine::journal
