#include "io/uring_device.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/async.hpp"
#include "base/rng.hpp"

namespace turbine::io {
namespace {

constexpr uint64_t kBytes = uint64_t{16} << 20;

/// A file that goes away with the test, in the build directory: O_DIRECT needs a real disk.
struct TemporaryFile {
  std::string path = fmt::format("uring_test.{}.{}", ::getpid(),
                                 testing::UnitTest::GetInstance()->current_test_info()->name());
  ~TemporaryFile() { std::filesystem::remove(path); }
};

struct Fixture {
  TemporaryFile file;
  Reactor reactor;
  std::unique_ptr<Device> device;

  explicit Fixture(UringOptions options = {.create = true}) {
    auto opened = open_uring_device(reactor, file.path, kBytes, options);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    device = std::move(*opened);
  }
};

Buffer random_bytes(size_t size, uint64_t seed) {
  Buffer buffer = Buffer::allocate(size);
  Rng(seed).fill(buffer.mutable_view());
  return buffer;
}

TEST(UringDevice, ReadsBackWhatWasWritten) {
  Fixture f;
  const Buffer data = random_bytes(1 << 20, 1);
  ASSERT_TRUE(f.reactor.run(f.device->write(8192, data)).ok());
  const Buffer back = f.reactor.run(f.device->read(8192, 1 << 20)).value();
  EXPECT_EQ(back.text(), data.text());
}

TEST(UringDevice, ProvesDurabilityOnlyThroughALaterFlush) {
  Fixture f;
  const WriteTicket ticket = f.reactor.run(f.device->write(0, random_bytes(4096, 1))).value();
  EXPECT_LT(f.device->durable_sequence(), ticket.sequence);
  ASSERT_TRUE(f.reactor.run(f.device->flush()).ok());
  f.device->check_durable(ticket);
  const WriteTicket next = f.reactor.run(f.device->write(0, random_bytes(4096, 2))).value();
  EXPECT_LT(f.device->durable_sequence(), next.sequence);
}

TEST(UringDevice, WritesDurablyInOneCall) {
  Fixture f;
  const WriteTicket before = f.reactor.run(f.device->write(0, random_bytes(4096, 1))).value();
  const Buffer data = random_bytes(65536, 2);
  const WriteTicket ticket = f.reactor.run(f.device->write_durably(8192, data)).value();
  EXPECT_GT(ticket.sequence, before.sequence);
  f.device->check_durable(ticket);
  f.device->check_durable(before);
  EXPECT_EQ(f.reactor.run(f.device->read(8192, 65536)).value().text(), data.text());
  const WriteTicket next = f.reactor.run(f.device->write(0, random_bytes(4096, 3))).value();
  EXPECT_LT(f.device->durable_sequence(), next.sequence);
}

Task<> write_durably_and_read(Device& device, uint64_t offset, uint64_t seed) {
  const Buffer data = random_bytes(8192, seed);
  const WriteTicket ticket = CO_TRY(co_await device.write_durably(offset, data));
  device.check_durable(ticket);
  const Buffer back = CO_TRY(co_await device.read(offset, 8192));
  EXPECT_EQ(back.text(), data.text());
  co_return Result<>{};
}

Task<> write_and_read(Device& device, uint64_t offset, uint64_t seed, size_t size) {
  const Buffer data = random_bytes(size, seed);
  CO_TRY(co_await device.write(offset, data));
  const Buffer back = CO_TRY(co_await device.read(offset, size));
  EXPECT_EQ(back.text(), data.text());
  co_return Result<>{};
}

Task<> many_at_once(Device& device) {
  std::vector<Task<>> tasks;
  tasks.reserve(400);
  for (uint64_t i = 0; i < 400; ++i) {
    if (i % 4 == 0) {
      tasks.push_back(write_durably_and_read(device, i * 32768, i));
    } else {
      tasks.push_back(write_and_read(device, i * 32768, i, 4096 * (1 + i % 8)));
    }
  }
  for (auto& result : co_await when_all(std::move(tasks))) CO_TRY(std::move(result));
  co_return Result<>{};
}

TEST(UringDevice, TakesMoreIosThanTheRingHolds) {
  Fixture f({.create = true, .depth = 8});
  EXPECT_TRUE(f.reactor.run(many_at_once(*f.device)).ok());
}

TEST(UringDevice, WorksWithoutRegisteredBuffers) {
  Fixture f({.create = true, .registered_bytes = 0});
  EXPECT_TRUE(f.reactor.run(many_at_once(*f.device)).ok());
}

TEST(UringDevice, HandsOutRegisteredBuffersThatOutliveIt) {
  Fixture f;
  Buffer buffer = f.device->allocate(4096);
  std::memset(buffer.data(), 7, 4096);
  ASSERT_TRUE(f.reactor.run(f.device->write(4096, buffer)).ok());
  const Buffer read = f.reactor.run(f.device->read(0, 131072)).value();
  f.device = nullptr;
  EXPECT_EQ(buffer.text(), read.text().substr(4096, 4096));
}

TEST(UringDevice, WritesFromAnyAddress) {
  Fixture f;
  const Buffer data = random_bytes(8192, 3);
  const Buffer odd = data.slice(1, 4096);
  ASSERT_TRUE(f.reactor.run(f.device->write(0, odd)).ok());
  EXPECT_EQ(f.reactor.run(f.device->read(0, 4096)).value().text(), data.text().substr(1, 4096));
}

TEST(UringDevice, PreparesAndDiscardsSpace) {
  Fixture f;
  ASSERT_TRUE(f.reactor.run(f.device->prepare(1 << 20, 1 << 20)).ok());
  ASSERT_TRUE(f.reactor.run(f.device->write(1 << 20, random_bytes(4096, 1))).ok());
  ASSERT_TRUE(f.reactor.run(f.device->discard(1 << 20, 1 << 20)).ok());
  const Buffer back = f.reactor.run(f.device->read(1 << 20, 4096)).value();
  EXPECT_EQ(back.text(), std::string(4096, '\0'));
}

TEST(UringDevice, CreatesASparseFileOnlyWhenAsked) {
  TemporaryFile file;
  Reactor reactor;
  EXPECT_TRUE(open_uring_device(reactor, file.path, kBytes).failed_with(Errc::not_found));
  EXPECT_FALSE(std::filesystem::exists(file.path));
  ASSERT_TRUE(open_uring_device(reactor, file.path, kBytes, {.create = true}).ok());
  EXPECT_EQ(std::filesystem::file_size(file.path), kBytes);
}

TEST(UringDevice, RefusesAFileThatIsInUse) {
  Fixture f;
  const auto second = open_uring_device(f.reactor, f.file.path, kBytes);
  ASSERT_TRUE(second.failed_with(Errc::busy));
  EXPECT_NE(second.error().context.find(f.file.path), std::string::npos);
}

TEST(UringDevice, IsFreeForTheNextOnceItIsDestroyed) {
  TemporaryFile file;
  Reactor reactor;
  for (int i = 0; i < 20; ++i) {
    auto opened = open_uring_device(reactor, file.path, kBytes, {.create = true});
    ASSERT_TRUE(opened.ok()) << i << ": " << opened.error().text();
    ASSERT_TRUE(reactor.run((*opened)->write(0, random_bytes(4096, 1))).ok());
  }
}

// The kernel frees the lock of a killed process when its last I/O has ended, after the process.
TEST(UringDevice, WaitsForTheLockWhenAskedTo) {
  Fixture f;
  std::thread ends([&f] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    f.device.reset();
  });
  Reactor reactor;
  const auto second =
      open_uring_device(reactor, f.file.path, kBytes, {.lock_wait = std::chrono::seconds(10)});
  ends.join();
  EXPECT_TRUE(second.ok()) << second.error().text();
}

TEST(UringDevice, RefusesAFileThatIsTooSmall) {
  TemporaryFile file;
  std::ofstream(file.path) << std::string(8192, 'x');
  Reactor reactor;
  EXPECT_TRUE(open_uring_device(reactor, file.path, kBytes).failed_with(Errc::invalid));
}

TEST(UringDevice, ShortFileGivesAReadErrorThatIsNotFinal) {
  Fixture f;
  ASSERT_TRUE(f.reactor.run(f.device->write(0, random_bytes(4096, 1))).ok());
  std::filesystem::resize_file(f.file.path, 1 << 20);
  EXPECT_TRUE(f.reactor.run(f.device->read(2 << 20, 4096)).failed_with(Errc::io));
  EXPECT_TRUE(f.reactor.run(f.device->read(0, 4096)).ok());
}

void note_end(std::exception_ptr, Result<>) {}

TEST(UringDevice, WaitsForTheKernelWhenItIsDestroyed) {
  TemporaryFile file;
  Reactor reactor;
  auto device = open_uring_device(reactor, file.path, kBytes, {.create = true}).value();
  for (uint64_t i = 0; i < 50; ++i) {
    asio::co_spawn(reactor.context(), write_and_read(*device, i * 65536, i, 65536), note_end);
  }
  reactor.context().restart();
  reactor.context().poll_one();
  reactor.context().poll();
  device = nullptr;  // I/Os are in the kernel, their coroutines never end
}

}  // namespace
}  // namespace turbine::io
