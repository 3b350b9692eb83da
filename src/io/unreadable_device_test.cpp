#include "io/unreadable_device.hpp"

#include <gtest/gtest.h>

#include "io/sim_clock.hpp"
#include "io/sim_device.hpp"

namespace turbine::io {
namespace {

TEST(UnreadableDevice, FailsReadsOfItsRangeOnceTold) {
  SimClock clock;
  SimDisk disk(1 << 20, 1);
  UnreadableDevice device(std::make_unique<SimDevice>(disk, clock),
                          {.offset = 8192, .bytes = 8192});
  EXPECT_TRUE(clock.run(device.read(8192, 4096)).ok());
  device.fail_reads();
  EXPECT_TRUE(clock.run(device.read(4096, 4096)).ok());
  EXPECT_TRUE(clock.run(device.read(4096, 8192)).failed_with(Errc::io));
  EXPECT_TRUE(clock.run(device.read(12288, 4096)).failed_with(Errc::io));
  EXPECT_TRUE(clock.run(device.read(16384, 4096)).ok());
  EXPECT_TRUE(clock.run(device.write(8192, Buffer::zeroed(4096))).ok());
  EXPECT_TRUE(clock.run(device.flush()).ok());
}

TEST(UnreadableDevice, ParsesItsRange) {
  const DeviceRange range = parse_device_range("4096:8192").value();
  EXPECT_EQ(range.offset, 4096U);
  EXPECT_EQ(range.bytes, 8192U);
  for (const char* bad : {"", "x", "1", "1:", ":1", "1:2:3", "-1:2"}) {
    EXPECT_TRUE(parse_device_range(bad).failed_with(Errc::invalid)) << bad;
  }
}

}  // namespace
}  // namespace turbine::io
