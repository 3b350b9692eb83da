#include "kv/rocks_kv.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "io/reactor.hpp"
#include "support/wait_for.hpp"

namespace turbine::kv {
namespace {

struct Directory {
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "turbine-kv-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string path;
};

// Starts the writer, reads `count` lines of it, kills it; returns the last number it printed.
uint64_t write_and_kill(const std::string& directory, int count) {
  int ends[2];
  if (::pipe(ends) != 0) return 0;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl(TURBINE_KV_CRASH_WRITER, "kv_crash_writer", directory.c_str(), nullptr);
    ::_exit(1);
  }
  ::close(ends[1]);
  std::FILE* lines = ::fdopen(ends[0], "r");
  char line[32];
  uint64_t last = 0;
  for (int i = 0; i < count && std::fgets(line, sizeof line, lines) != nullptr; ++i) {
    last = std::strtoull(line, nullptr, 10);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  while (std::fgets(line, sizeof line, lines) != nullptr) {
    last = std::strtoull(line, nullptr, 10);
  }
  std::fclose(lines);
  return last;
}

TEST(RocksKv, KeepsWholeBatchesWhenKilled) {
  for (int round = 1; round <= 8; ++round) {
    Directory directory;
    const std::string path = directory.path + "/kv";
    const uint64_t flushed = write_and_kill(path, round);
    ASSERT_GT(flushed, 0U);
    io::Reactor reactor;
    auto kv = open_rocks_kv(reactor.executor(), reactor.pool(), {.directory = path});
    ASSERT_TRUE(kv.ok()) << kv.error().text();
    std::string number;
    for (int i = 0; i < 10; ++i) {
      const auto value = (*kv)->get("key" + std::to_string(i));
      ASSERT_TRUE(value.ok() && value->has_value()) << "round " << round << " key " << i;
      const std::string head = (*value)->substr(0, (*value)->find('.'));
      if (i == 0) number = head;
      EXPECT_EQ(head, number);
      EXPECT_EQ((*value)->size(), head.size() + size_t{500} * i);
    }
    EXPECT_GE(std::stoull(number), flushed);
  }
}

void flip_a_bit(const std::filesystem::path& path, int offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(offset);
  const int byte = file.get();
  file.seekp(offset);
  file.put(static_cast<char>(byte ^ 4));
}

TEST(RocksKv, TellsOfDamageThatAReadHasMet) {
  Directory directory;
  const std::string path = directory.path + "/kv";
  io::Reactor reactor;
  auto kv = open_rocks_kv(reactor.executor(), reactor.pool(), {.directory = path});
  ASSERT_TRUE(kv.ok());
  WriteBatch batch;
  for (int i = 1000; i < 2000; ++i) batch.put("key" + std::to_string(i), std::string(100, 'v'));
  ASSERT_TRUE((*kv)->write(batch).ok());
  ASSERT_TRUE(reactor.run((*kv)->flush()).ok());
  kv->reset();
  for (const auto& file : std::filesystem::directory_iterator(path)) {
    if (file.path().extension() == ".sst") flip_a_bit(file.path(), 200);  // in the first block
  }
  kv = open_rocks_kv(reactor.executor(), reactor.pool(), {.directory = path});
  ASSERT_TRUE(kv.ok()) << kv.error().text();
  EXPECT_TRUE((*kv)->get("key1999").ok());
  EXPECT_EQ((*kv)->damage(), "");
  EXPECT_TRUE((*kv)->get("key1001").failed_with(Errc::corrupt));
  EXPECT_NE((*kv)->damage().find("is damaged"), std::string::npos);
  EXPECT_TRUE((*kv)->scan("key", "kez")->status().failed_with(Errc::corrupt));
}

TEST(RocksKv, TakesNoMoreWritesAfterAFailedFlush) {
  Directory directory;
  const std::string path = directory.path + "/kv";
  io::Reactor reactor;
  auto kv = open_rocks_kv(reactor.executor(), reactor.pool(), {.directory = path});
  ASSERT_TRUE(kv.ok());
  WriteBatch batch;
  batch.put("key", "value");
  ASSERT_TRUE((*kv)->write(batch).ok());
  std::filesystem::remove_all(path);
  EXPECT_TRUE(reactor.run((*kv)->flush()).failed_with(Errc::io));
  const Result<> written = (*kv)->write(batch);
  ASSERT_TRUE(written.failed_with(Errc::io));
  EXPECT_NE(written.error().context.find(path), std::string::npos);
}

/// Bytes that this process has read by system calls so far, from the page cache or not.
uint64_t bytes_read() {
  std::ifstream file("/proc/self/io");
  std::string name;
  uint64_t value = 0;
  file >> name >> value;
  return name == "rchar:" ? value : 0;
}

TEST(RocksKv, ReadsNoLargeBlocksForSmallRows) {
  constexpr int kFlushes = 5, kRowsPerFlush = 160'000, kGets = 500;
  Directory directory;
  io::Reactor reactor;
  auto kv =
      open_rocks_kv(reactor.executor(), reactor.pool(),
                    {.directory = directory.path + "/kv", .block_cache_bytes = uint64_t{8} << 20});
  ASSERT_TRUE(kv.ok());
  for (int i = 0; i < kFlushes; ++i) {
    WriteBatch batch;
    for (int row = i; row < kFlushes * kRowsPerFlush; row += kFlushes) {
      batch.put(fmt::format("key-{:08}", row), "value");
    }
    ASSERT_TRUE((*kv)->write(std::move(batch)).ok());
    ASSERT_TRUE(reactor.run((*kv)->flush()).ok());
  }
  // Four of the five tables become one, whose filter and index don't fit a shard of the cache.
  const auto tables = [&] {
    return std::ranges::count_if(
        std::filesystem::directory_iterator(directory.path + "/kv"),
        [](const auto& file) { return file.path().extension() == ".sst"; });
  };
  ASSERT_TRUE(support::wait_for(reactor, [&] { return tables() <= 2; }));
  uint64_t before = 0;
  for (int i = -kGets; i < kGets; ++i) {
    if (i == 0) before = bytes_read();  // the first half only warms up
    const auto value = (*kv)->get(fmt::format("key-{:08}", (i + kGets) * 9973 % 800'000));
    ASSERT_TRUE(value.ok() && value->has_value());
  }
  // Of a block of rows and perhaps a part of those two.
  const uint64_t bytes_per_get = (bytes_read() - before) / kGets;
  EXPECT_LT(bytes_per_get, 40'000U);
}

}  // namespace
}  // namespace turbine::kv
