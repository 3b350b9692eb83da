#include "io/faulty_device.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "io/sim_clock.hpp"
#include "io/sim_device.hpp"

namespace turbine::io {
namespace {

Buffer filled(size_t size, char value) {
  Buffer buffer = Buffer::allocate(size);
  std::memset(buffer.data(), value, size);
  return buffer;
}

struct Fixture {
  SimClock clock;
  SimDisk disk{1 << 20, 1};
  bool exited = false;
  std::optional<PowerCutDevice> device;

  explicit Fixture(PowerCutPlan plan = {}) {
    device.emplace(clock.executor(), std::make_unique<SimDevice>(disk, clock), plan,
                   [this] { exited = true; });
  }
  Result<WriteTicket> write(uint64_t offset, char value, size_t size = 4096) {
    return clock.run(device->write(offset, filled(size, value)));
  }
  std::string on_disk(uint64_t offset, size_t size = 4096) {
    std::string bytes(size, '\0');
    disk.peek(offset, std::as_writable_bytes(std::span(bytes)));
    return bytes;
  }
};

TEST(PowerCutDevice, KeepsWritesFromTheDiskUntilTheFlush) {
  Fixture f;
  const WriteTicket ticket = f.write(4096, 'a').value();
  EXPECT_EQ(f.on_disk(4096), std::string(4096, '\0'));
  EXPECT_LT(f.device->durable_sequence(), ticket.sequence);
  ASSERT_TRUE(f.clock.run(f.device->flush()).ok());
  EXPECT_EQ(f.on_disk(4096), std::string(4096, 'a'));
  f.device->check_durable(ticket);
}

TEST(PowerCutDevice, ReadsItsUnsyncedWrites) {
  Fixture f;
  ASSERT_TRUE(f.write(4096, 'a').ok());
  ASSERT_TRUE(f.write(8192, 'b').ok());
  ASSERT_TRUE(f.write(8192, 'c').ok());
  const Buffer data = f.clock.run(f.device->read(0, 16384)).value();
  EXPECT_EQ(data.text(), std::string(4096, '\0') + std::string(4096, 'a') + std::string(4096, 'c') +
                             std::string(4096, '\0'));
}

TEST(PowerCutDevice, LosesEverythingUnsyncedWithoutASeed) {
  Fixture f;
  ASSERT_TRUE(f.write(0, 'a').ok());
  ASSERT_TRUE(f.clock.run(f.device->flush()).ok());
  ASSERT_TRUE(f.write(0, 'b').ok());
  f.device->cut_power();
  EXPECT_TRUE(f.exited);
  EXPECT_EQ(f.on_disk(0), std::string(4096, 'a'));
}

TEST(PowerCutDevice, TearsUnsyncedWritesWithASeed) {
  bool torn = false;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Fixture f({.seed = seed});
    ASSERT_TRUE(f.write(0, 'a', 16384).ok());
    ASSERT_TRUE(f.clock.run(f.device->flush()).ok());
    ASSERT_TRUE(f.write(0, 'b', 16384).ok());
    f.device->cut_power();
    ASSERT_TRUE(f.clock.run_until([&] { return f.exited; }));
    const std::string bytes = f.on_disk(0, 16384);
    torn = torn || (bytes.find('a') != std::string::npos && bytes.find('b') != std::string::npos);
  }
  EXPECT_TRUE(torn);
}

TEST(PowerCutDevice, CompletesNothingOnceThePowerIsCut) {
  Fixture f({.seed = 0, .at_io = 2});
  ASSERT_TRUE(f.write(0, 'a').ok());
  EXPECT_TRUE(f.clock.run(f.device->flush()).failed_with(Errc::timeout));
  EXPECT_TRUE(f.exited);
  EXPECT_EQ(f.on_disk(0), std::string(4096, '\0'));
  f.device.reset();
  f.clock.run_until_idle();
}

TEST(PowerCutDevice, LosesWhatWasFlushedWhenItLies) {
  Fixture f({.lie = true});
  const WriteTicket ticket = f.write(0, 'a').value();
  ASSERT_TRUE(f.clock.run(f.device->flush()).ok());
  f.device->check_durable(ticket);
  EXPECT_EQ(f.clock.run(f.device->read(0, 4096)).value().text(), std::string(4096, 'a'));
  f.device->cut_power();
  EXPECT_EQ(f.on_disk(0), std::string(4096, '\0'));
}

TEST(PowerCutDevice, FailsForGoodWhenTheDiskFails) {
  Fixture f;
  ASSERT_TRUE(f.write(0, 'a').ok());
  f.disk.faults.fail_flushes = true;
  EXPECT_TRUE(f.clock.run(f.device->flush()).failed_with(Errc::io));
  EXPECT_TRUE(f.write(0, 'b').failed_with(Errc::io));
}

TEST(PowerCutDevice, ParsesItsPlan) {
  EXPECT_EQ(parse_power_cut("7").value().seed, 7U);
  EXPECT_EQ(parse_power_cut("7:120").value().at_io, 120U);
  EXPECT_FALSE(parse_power_cut("7:120").value().lie);
  EXPECT_TRUE(parse_power_cut("7:120,lie").value().lie);
  for (const char* bad : {"", "x", "7:", ":7", "7:8:9", "-1", ",lie", "7,"}) {
    EXPECT_TRUE(parse_power_cut(bad).failed_with(Errc::invalid)) << bad;
  }
}

}  // namespace
}  // namespace turbine::io
