#include "bladed/superblock.hpp"

#include <gtest/gtest.h>

#include "base/byte_codec.hpp"
#include "base/hash.hpp"
#include "io/sim_clock.hpp"
#include "io/sim_device.hpp"

namespace turbine::bladed {
namespace {

Superblock example() {
  return *plan_superblock("0123456789abcdef0123456789abcdef", 3, 0x1122334455667788,
                          uint64_t{8} << 30);
}

TEST(Superblock, KeepsItsGoldenBytes) {
  const std::string copy = encode_superblock(example());
  ASSERT_EQ(copy.size(), 4096u);
  std::string head = "TRBNBLAD";
  head += std::string("\x01\x00\x00\x00\x03\x00\x00\x00", 8);
  head += "0123456789abcdef0123456789abcdef";
  head += std::string("\x88\x77\x66\x55\x44\x33\x22\x11", 8);
  head += std::string("\x00\x00\x00\x00\x02\x00\x00\x00", 8);  // 8 GiB
  head += std::string("\x00\x00\x10\x00\x00\x00\x00\x00", 8);  // 1 MiB
  head += std::string("\x00\x00\x00\x08\x00\x00\x00\x00", 8);  // 128 MiB
  head += std::string("\x00\x00\x10\x08\x00\x00\x00\x00", 8);  // 129 MiB
  EXPECT_EQ(copy.substr(0, head.size()), head);
  const auto decoded = decode_superblock(as_bytes(copy));
  ASSERT_TRUE(decoded.ok()) << decoded.error().text();
  EXPECT_EQ(*decoded, example());
}

TEST(Superblock, KeepsItsIdentitySeed) {
  EXPECT_EQ(example().identity_seed(), 0x7536a182d151af3dULL);
}

TEST(Superblock, FindsEveryFlippedBit) {
  const std::string copy = encode_superblock(example());
  for (size_t bit = 0; bit < copy.size() * 8; bit += 7) {
    std::string bad = copy;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    EXPECT_TRUE(decode_superblock(as_bytes(bad)).failed_with(Errc::corrupt)) << bit;
  }
}

TEST(Superblock, TellsBlankFromDamaged) {
  EXPECT_TRUE(decode_superblock(Buffer::zeroed(4096).view()).failed_with(Errc::not_found));
}

struct Disk {
  io::SimClock clock;
  io::SimDisk disk{1 << 20, 1};
  io::SimDevice device{disk, clock};

  void write(uint64_t offset, const std::string& copy) {
    EXPECT_TRUE(clock.run(device.write(offset, Buffer::copy_of(copy))).ok());
  }
  std::string copy_at(uint64_t offset) {
    return std::string(clock.run(device.read(offset, 4096)).value().text());
  }
  Result<Superblock> read() { return clock.run(read_superblock(device)); }
};

TEST(Superblock, IsMadeWholeFromItsOtherCopy) {
  const std::string copy = encode_superblock(example());
  for (const uint64_t bad : kSuperblockCopyOffsets) {
    Disk disk;
    ASSERT_TRUE(disk.clock.run(write_superblock(disk.device, example())).ok());
    disk.disk.flip_bit(bad + 100, 2);
    EXPECT_EQ(disk.read().value(), example());
    EXPECT_EQ(disk.copy_at(bad), copy);
  }
}

TEST(Superblock, OfANewerFormatIsRefusedEvenBesideAnOlderCopy) {
  std::string newer = encode_superblock(example());
  newer[8] = 2;
  newer.resize(4088);
  append_le(newer, hash64(as_bytes(newer), 0));
  for (const uint64_t offset : kSuperblockCopyOffsets) {
    Disk disk;
    ASSERT_TRUE(disk.clock.run(write_superblock(disk.device, example())).ok());
    disk.write(offset, newer);
    EXPECT_TRUE(disk.read().failed_with(Errc::unsupported));
    EXPECT_EQ(disk.copy_at(offset), newer);
  }
}

TEST(Superblock, RefusesADeviceTooSmallForItsJournal) {
  EXPECT_TRUE(
      plan_superblock(std::string(32, 'a'), 1, 1, uint64_t{128} << 20).failed_with(Errc::invalid));
}

}  // namespace
}  // namespace turbine::bladed
