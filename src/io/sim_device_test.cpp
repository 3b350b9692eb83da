#include "io/sim_device.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "base/async.hpp"
#include "io/sim_clock.hpp"

namespace turbine::io {
namespace {

constexpr uint64_t kDiskBytes = 1 << 20;

Buffer filled(size_t size, char value) {
  Buffer buffer = Buffer::allocate(size);
  std::memset(buffer.data(), value, size);
  return buffer;
}

struct Fixture {
  explicit Fixture(uint64_t seed = 1) : disk(kDiskBytes, seed) {}
  SimClock clock;
  SimDisk disk;
  std::optional<SimDevice> device{std::in_place, disk, clock};

  Result<WriteTicket> write(uint64_t offset, char value, size_t size = kPageBytes) {
    return clock.run(device->write(offset, filled(size, value)));
  }
  Result<> flush() { return clock.run(device->flush()); }
  std::string read(uint64_t offset, size_t size = kPageBytes) {
    const Buffer data = clock.run(device->read(offset, size)).value();
    return std::string(data.text());
  }
  void power_cycle(CrashLoss loss) {
    device->crash(loss);
    device.emplace(disk, clock);
  }
};

TEST(SimDevice, ReadsWhatWasWrittenAndZeroesElsewhere) {
  Fixture f;
  ASSERT_TRUE(f.write(8192, 'a').ok());
  EXPECT_EQ(f.read(4096, 8192), std::string(4096, '\0') + std::string(4096, 'a'));
}

TEST(SimDevice, TakesVirtualTime) {
  Fixture f;
  const TimePoint start = f.clock.now();
  ASSERT_TRUE(f.write(0, 'a').ok());
  EXPECT_GE(f.clock.now() - start, SimTiming{}.write);
}

TEST(SimDevice, PowerCutLosesWhatWasNotFlushedAndKeepsTheRest) {
  Fixture f;
  ASSERT_TRUE(f.write(0, 'a').ok());
  ASSERT_TRUE(f.flush().ok());
  ASSERT_TRUE(f.write(0, 'b').ok());
  ASSERT_TRUE(f.write(4096, 'b').ok());
  f.power_cycle(CrashLoss::everything);
  EXPECT_EQ(f.read(0), std::string(4096, 'a'));
  EXPECT_EQ(f.read(4096), std::string(4096, '\0'));
  EXPECT_EQ(f.disk.counters().lost_unsynced_writes, 2U);
}

TEST(SimDevice, ProcessDeathLosesNothingButALaterPowerCutDoes) {
  Fixture f;
  ASSERT_TRUE(f.write(0, 'a').ok());
  f.device.reset();
  f.device.emplace(f.disk, f.clock);
  EXPECT_EQ(f.read(0), std::string(4096, 'a'));
  f.power_cycle(CrashLoss::everything);
  EXPECT_EQ(f.read(0), std::string(4096, '\0'));
}

TEST(SimDevice, TearsUnsyncedWritesBySector) {
  bool mixed = false;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Fixture f(seed);
    ASSERT_TRUE(f.write(0, 'a').ok());
    ASSERT_TRUE(f.flush().ok());
    ASSERT_TRUE(f.write(0, 'b', 16384).ok());
    f.power_cycle(CrashLoss::torn);
    const std::string data = f.read(0);
    for (size_t sector = 0; sector < data.size(); sector += 512) {
      const std::string bytes = data.substr(sector, 512);
      ASSERT_TRUE(bytes == std::string(512, 'a') || bytes == std::string(512, 'b'));
      mixed = mixed || bytes.front() != data.front();
    }
  }
  EXPECT_TRUE(mixed);
}

TEST(SimDevice, FlushCoversOnlyWritesCompletedBeforeIt) {
  Fixture f;
  ASSERT_TRUE(f.write(0, 'a').ok());
  bool flushed = false;
  Gate gate(f.clock.executor());
  auto flush_it = [](SimDevice& device, bool& done) -> Task<> {
    CO_TRY(co_await device.flush());
    done = true;
    co_return Result<>{};
  };
  gate.spawn("flush", flush_it(*f.device, flushed));
  f.clock.run_until_idle();  // the flush has begun
  const WriteTicket late = f.write(4096, 'b').value();
  ASSERT_TRUE(f.clock.run_until([&] { return flushed; }));
  EXPECT_LT(f.device->durable_sequence(), late.sequence);
  EXPECT_DEATH(f.device->check_durable(late), "durable_sequence");
  ASSERT_TRUE(f.flush().ok());
  f.device->check_durable(late);
}

TEST(SimDevice, WaitingCallsUnwindWhenThePowerIsCut) {
  Fixture f;
  std::optional<Result<WriteTicket>> result;
  Gate gate(f.clock.executor());
  auto write_it = [](SimDevice& device, std::optional<Result<WriteTicket>>& out) -> Task<> {
    out.emplace(co_await device.write(0, filled(4096, 'x')));
    co_return Result<>{};
  };
  gate.spawn("write", write_it(*f.device, result));
  f.clock.run_until_idle();
  f.power_cycle(CrashLoss::everything);
  f.clock.run_until_idle();
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->failed_with(Errc::closed));
  EXPECT_EQ(f.read(0), std::string(4096, '\0'));
}

TEST(SimDevice, FailedWriteIsFinal) {
  Fixture f;
  f.disk.faults.fail_io = 2;
  ASSERT_TRUE(f.write(0, 'a').ok());
  EXPECT_TRUE(f.write(0, 'b').failed_with(Errc::io));
  EXPECT_TRUE(f.write(0, 'c').failed_with(Errc::io));
  EXPECT_TRUE(f.flush().failed_with(Errc::io));
  EXPECT_TRUE(f.clock.run(f.device->read(0, 4096)).failed_with(Errc::io));
  EXPECT_EQ(f.disk.counters().failed_ios, 1U);
}

TEST(SimDevice, FailedFlushIsFinalAndProvesNothing) {
  Fixture f;
  const WriteTicket ticket = f.write(0, 'a').value();
  f.disk.faults.fail_flushes = true;
  EXPECT_TRUE(f.flush().failed_with(Errc::io));
  EXPECT_TRUE(f.flush().failed_with(Errc::io));
  EXPECT_LT(f.device->durable_sequence(), ticket.sequence);
}

TEST(SimDevice, UnreadableSectorFailsOnlyReadsThatTouchIt) {
  Fixture f;
  f.disk.faults.unreadable.push_back({8192, 512});
  EXPECT_TRUE(f.clock.run(f.device->read(4096, 8192)).failed_with(Errc::io));
  EXPECT_TRUE(f.clock.run(f.device->read(0, 8192)).ok());
  EXPECT_EQ(f.disk.counters().unreadable_reads, 1U);
}

TEST(SimDevice, SilentFaultsStrikeWithinTheirRangeOnly) {
  Fixture f;
  f.disk.faults.silent_range = {8192, 8192};
  f.disk.faults.lost_write_ppm = 1'000'000;
  ASSERT_TRUE(f.write(0, 'a').ok());
  ASSERT_TRUE(f.write(8192, 'a').ok());
  EXPECT_EQ(f.read(0), std::string(4096, 'a'));
  EXPECT_EQ(f.read(8192), std::string(4096, '\0'));
  f.disk.faults.lost_write_ppm = 0;
  f.disk.faults.flipped_write_ppm = 1'000'000;
  ASSERT_TRUE(f.write(8192, 'a').ok());
  EXPECT_NE(f.read(8192), std::string(4096, 'a'));
  EXPECT_EQ(f.disk.counters().lost_writes, 1U);
  EXPECT_EQ(f.disk.counters().flipped_bits, 1U);
}

TEST(SimDevice, FlippedBitStaysThroughPowerCuts) {
  Fixture f;
  ASSERT_TRUE(f.write(0, 'a').ok());
  ASSERT_TRUE(f.flush().ok());
  f.disk.flip_bit(5, 1);
  EXPECT_EQ(f.read(0)[5], 'a' ^ 2);
  f.power_cycle(CrashLoss::everything);
  EXPECT_EQ(f.read(0)[5], 'a' ^ 2);
}

TEST(SimDevice, FullDiskRefusesToPrepare) {
  Fixture f;
  f.disk.faults.full = true;
  EXPECT_TRUE(f.clock.run(f.device->prepare(0, 4096)).failed_with(Errc::no_space));
  EXPECT_EQ(f.disk.counters().full, 1U);
}

TEST(SimDevice, CutsThePowerAtTheWantedIo) {
  Fixture f;
  ASSERT_TRUE(f.write(0, 'a').ok());
  ASSERT_TRUE(f.flush().ok());
  f.disk.faults.crash_io = 3;
  EXPECT_TRUE(f.write(0, 'b').failed_with(Errc::closed));
  EXPECT_FALSE(f.device->is_open());
  f.device.emplace(f.disk, f.clock);
  EXPECT_EQ(f.read(0), std::string(4096, 'a'));
}

}  // namespace
}  // namespace turbine::io
