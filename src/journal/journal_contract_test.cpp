#include "journal/journal.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/async.hpp"
#include "base/rng.hpp"
#include "io/sim_clock.hpp"
#include "io/sim_device.hpp"

namespace turbine::journal {
namespace {

constexpr uint64_t kSegment = uint64_t{3} << 20;
constexpr uint64_t kRegion = 4 * kSegment;

Options options() {
  return {.region_offset = 8192,
          .region_bytes = kRegion,
          .segment_bytes = kSegment,
          .identity_seed = 77};
}

struct Seen {
  std::string payload;
  Position position;
  bool maybe_unflushed;
};

// A process on the disk: opens the journal and remembers what replay gave.
struct Process {
  io::SimDevice device;
  std::vector<Seen> seen;
  ReplaySummary summary;
  std::unique_ptr<Journal> journal;

  Process(io::SimDisk& disk, io::SimClock& clock) : device(disk, clock) {}
  Result<> open(io::SimClock& clock, Position from = {}, Options how = options()) {
    auto remember = [this](const Record& record, Position position, bool maybe) -> Task<> {
      return note(record, position, maybe);
    };
    auto opened = clock.run(Journal::open(clock.executor(), device, how, from, remember, &summary));
    if (!opened.ok()) return fail(opened.error());
    journal = std::move(*opened);
    return {};
  }
  Task<> note(Record record, Position position, bool maybe) {
    seen.push_back({record.payload, position, maybe});
    co_return Result<>{};
  }
};

Record entry(std::string payload) {
  Record record;
  record.type = RecordType::entry;
  record.partition = PartitionId(3);
  record.term = Term(1);
  record.lsn = Lsn(9);
  record.payload = std::move(payload);
  return record;
}

struct Bed {
  io::SimClock clock;
  io::SimDisk disk{kRegion + (uint64_t{1} << 20), 5};
  Bed() {
    io::SimDevice device(disk, clock);
    EXPECT_TRUE(clock.run(Journal::format(device, options())).ok());
  }
};

TEST(JournalContract, GivesBackWhatWasAppendedInOrder) {
  Bed bed;
  std::vector<Position> positions;
  {
    Process process(bed.disk, bed.clock);
    ASSERT_TRUE(process.open(bed.clock).ok());
    for (const char* text : {"one", "two", "", "four"}) {
      positions.push_back(bed.clock.run(process.journal->append(entry(text))).value());
    }
    ASSERT_TRUE(bed.clock.run(process.journal->stop()).ok());
  }
  Process process(bed.disk, bed.clock);
  ASSERT_TRUE(process.open(bed.clock).ok());
  ASSERT_EQ(process.seen.size(), 4U);
  EXPECT_EQ(process.seen[0].payload, "one");
  EXPECT_EQ(process.seen[3].payload, "four");
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(process.seen[i].position, positions[i]);
  EXPECT_FALSE(process.seen[2].maybe_unflushed);
  EXPECT_TRUE(process.seen[3].maybe_unflushed);
  EXPECT_FALSE(process.summary.damaged);
}

TEST(JournalContract, PutsManyRecordsUnderOneFlush) {
  Bed bed;
  Process process(bed.disk, bed.clock);
  ASSERT_TRUE(process.open(bed.clock).ok());
  std::vector<Task<Position>> appends;
  appends.reserve(100);
  for (int i = 0; i < 100; ++i) appends.push_back(process.journal->append(entry("x")));
  auto all = [](std::vector<Task<Position>> tasks) -> Task<> {
    for (auto& result : co_await when_all(std::move(tasks))) CO_TRY(std::move(result));
    co_return Result<>{};
  };
  ASSERT_TRUE(bed.clock.run(all(std::move(appends))).ok());
  EXPECT_LE(process.journal->counters().flushes, 2U);
  ASSERT_TRUE(bed.clock.run(process.journal->stop()).ok());
}

TEST(JournalContract, ReusesSegmentsAndReplaysFromTheRecoveryPosition) {
  Bed bed;
  Position keep{};
  std::vector<std::string> kept;
  {
    Process process(bed.disk, bed.clock);
    ASSERT_TRUE(process.open(bed.clock).ok());
    for (int i = 0; i < 60; ++i) {
      const std::string payload = fmt::format("{}:{}", i, std::string(900'000, 'p'));
      const Position at = bed.clock.run(process.journal->append(entry(payload))).value();
      if (i == 55) keep = at;
      if (i >= 55) kept.push_back(payload);
      if (i < 56) process.journal->set_recovery_position(at);
    }
    ASSERT_TRUE(bed.clock.run(process.journal->stop()).ok());
  }
  Process process(bed.disk, bed.clock);
  ASSERT_TRUE(process.open(bed.clock, keep).ok());
  ASSERT_EQ(process.seen.size(), kept.size());
  for (size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(process.seen[i].payload, kept[i]);
}

TEST(JournalContract, AppendWaitsWhileTheRegionIsFull) {
  Bed bed;
  Process process(bed.disk, bed.clock);
  ASSERT_TRUE(process.open(bed.clock).ok());
  const std::string big(900'000, 'b');
  Result<Position> last = Position{};
  int done = 0;
  while (done < 100 && last.ok()) {
    last = bed.clock.run(process.journal->append(entry(big)), std::chrono::seconds(1));
    if (last.ok()) ++done;
  }
  EXPECT_TRUE(last.failed_with(Errc::timeout));
  EXPECT_GE(done, 11);
  process.journal->set_recovery_position(process.journal->end());
  EXPECT_TRUE(bed.clock.run(process.journal->append(entry("fits"))).ok());
  ASSERT_TRUE(bed.clock.run(process.journal->stop()).ok());
}

TEST(JournalContract, TellsDamageFromATornTail) {
  Bed bed;
  Position first{}, last{};
  {
    Process process(bed.disk, bed.clock);
    ASSERT_TRUE(process.open(bed.clock).ok());
    for (int i = 0; i < 5; ++i) {
      last = bed.clock.run(process.journal->append(entry("text"))).value();
      if (i == 1) first = last;
    }
    ASSERT_TRUE(bed.clock.run(process.journal->stop()).ok());
  }
  bed.disk.flip_bit(8192 + last.value + 3, 1);
  {
    Process process(bed.disk, bed.clock);
    ASSERT_TRUE(process.open(bed.clock).ok());
    EXPECT_EQ(process.seen.size(), 4U);
    EXPECT_FALSE(process.summary.damaged);
  }
  bed.disk.flip_bit(8192 + first.value + 3, 1);
  Process process(bed.disk, bed.clock);
  ASSERT_TRUE(process.open(bed.clock).ok());
  EXPECT_EQ(process.seen.size(), 1U);
  EXPECT_TRUE(process.summary.damaged);
}

TEST(JournalContractDeathTest, AnAcknowledgementWithoutAFlushIsCaught) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        Bed bed;
        Process process(bed.disk, bed.clock);
        Options broken = options();
        broken.skip_flush_for_test = true;
        (void)process.open(bed.clock, {}, broken);
        (void)bed.clock.run(process.journal->append(entry("lost")));
      },
      "durable_sequence");
}

// Appends many records at once, cuts the power at the `crash_io`-th I/O, and checks what replay
// gives: every acknowledged record, in order, none altered or invented.
void crash_and_replay(uint64_t seed, uint64_t crash_io) {
  Bed bed;
  Rng rng(seed);
  std::vector<std::string> sent;
  std::vector<bool> acknowledged;
  for (int round = 0; round < 3; ++round) {
    Process process(bed.disk, bed.clock);
    ASSERT_TRUE(process.open(bed.clock).ok());
    ASSERT_FALSE(process.summary.damaged) << "seed " << seed << " io " << crash_io;
    // Replay is a subsequence of what was sent that holds all that was acknowledged.
    size_t at = 0;
    for (size_t i = 0; i < sent.size(); ++i) {
      const bool there = at < process.seen.size() && process.seen[at].payload == sent[i];
      if (there) ++at;
      ASSERT_TRUE(there || !acknowledged[i]) << "seed " << seed << " io " << crash_io;
    }
    ASSERT_EQ(at, process.seen.size()) << "seed " << seed << " io " << crash_io;
    if (round == 2) break;
    sent.clear();
    for (const Seen& seen : process.seen) sent.push_back(seen.payload);
    acknowledged.assign(sent.size(), true);
    bed.disk.faults.crash_io = bed.disk.io_count() + crash_io;
    bed.disk.faults.crash_loss =
        rng.chance(1, 2) ? io::CrashLoss::torn : io::CrashLoss::random_subset;
    const size_t base = sent.size();
    std::vector<Task<Position>> appends;
    for (int i = 0; i < 30; ++i) {
      sent.push_back(fmt::format("{}/{}/{}", round, i, std::string(rng.below(20'000), 'x')));
      acknowledged.push_back(false);
    }
    auto one = [](Journal& journal, std::string text, std::vector<bool>& acks,
                  size_t index) -> Task<> {
      const Result<Position> done = co_await journal.append(entry(std::move(text)));
      if (done.ok()) acks[index] = true;
      co_return Result<>{};
    };
    Gate gate(bed.clock.executor());
    for (size_t i = base; i < sent.size(); ++i) {
      gate.spawn("append", one(*process.journal, sent[i], acknowledged, i));
      if (i % 7 == 0) bed.clock.advance(std::chrono::microseconds(rng.below(300)));
    }
    ASSERT_TRUE(bed.clock.run_until([&] { return gate.count() == 0; }));
    (void)bed.clock.run(process.journal->stop());
    if (process.device.is_open()) process.device.crash(io::CrashLoss::torn);
    bed.disk.faults.crash_io = 0;
  }
}

TEST(JournalContract, LosesNothingAcknowledgedWhenPowerFailsAtAnyMoment) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    for (uint64_t crash_io = 1; crash_io <= 14; ++crash_io) crash_and_replay(seed, crash_io);
  }
}

}  // namespace
}  // namespace turbine::journal
