#include "chunk/store.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "chunk/scrubber.hpp"
#include "io/sim_clock.hpp"
#include "io/sim_device.hpp"
#include "kv/mem_kv.hpp"

namespace turbine::chunk {
namespace {

constexpr uint64_t kSegment = uint64_t{3} << 20;
constexpr uint64_t kAreaOffset = 4 * kSegment + 4096;
constexpr uint64_t kAreaBytes = uint64_t{2} << 20;

Options store_options() {
  return {.area_offset = kAreaOffset, .area_bytes = kAreaBytes, .identity_seed = 9};
}
journal::Options journal_options() {
  return {.region_offset = 4096,
          .region_bytes = 4 * kSegment,
          .segment_bytes = kSegment,
          .identity_seed = 9};
}

ShardId shard_id(uint64_t number, uint8_t index = 0) {
  return {StripeId::make(PartitionId(1), number), index};
}

// The bytes of a shard follow from its identity.
Buffer bytes_of(ShardId shard, uint64_t generation, uint32_t bytes) {
  Rng rng(shard.stripe.value * 1000 + uint64_t{shard.index} * 10 + generation);
  Buffer data = Buffer::allocate(bytes);
  rng.fill(data.mutable_view());
  return data;
}

ShardInfo info_of(ShardId shard, uint32_t bytes = 65536, uint64_t generation = 1) {
  return {shard, GroupId(3), generation, bytes};
}

// A blade's process on a disk: store, journal and index, as start-up wires them.
struct Process {
  Process(io::SimClock& c, io::SimDisk& disk, kv::MemKvDisk& kv_disk)
      : clock(c), device(disk, c), kv(kv::open_mem_kv(c, kv_disk)) {}
  // As after a crash: callers unwind, then everything goes.
  ~Process() {
    device.crash(io::CrashLoss::nothing);
    clock.run_until_idle();
    for (int i = 0; i < 100 && clock.step(); ++i) {
    }
    if (store) (void)clock.run(store->stop());
  }

  Result<> open(journal::Position recover_from, Options options = store_options()) {
    auto opened = ChunkStore::open(clock.executor(), device, *kv, options);
    if (!opened.ok()) return fail(opened.error());
    store = std::move(*opened);
    auto handler = [this](const journal::Record& record, journal::Position, bool maybe) {
      return store->replay(record, maybe);
    };
    auto log = clock.run(journal::Journal::open(clock.executor(), device, journal_options(),
                                                recover_from, handler, &summary));
    if (!log.ok()) return fail(log.error());
    journal = std::move(*log);
    return store->start(*journal);
  }
  Result<> put(ShardInfo info) {
    return clock.run(store->put(info, bytes_of(info.shard, info.generation, info.bytes)));
  }
  Result<Buffer> read(ShardId shard, uint32_t offset, uint32_t size) {
    return clock.run(store->read(shard, offset, size));
  }

  io::SimClock& clock;
  io::SimDevice device;
  std::unique_ptr<kv::Kv> kv;
  std::unique_ptr<ChunkStore> store;
  journal::ReplaySummary summary;
  std::unique_ptr<journal::Journal> journal;
};

struct Bed {
  explicit Bed(uint64_t seed = 1) : disk(kAreaOffset + kAreaBytes, seed) {
    io::SimDevice device(disk, clock);
    EXPECT_TRUE(clock.run(journal::Journal::format(device, journal_options())).ok());
  }
  std::unique_ptr<Process> start(Options options = store_options()) {
    auto process = std::make_unique<Process>(clock, disk, kv_disk);
    const Result<> opened = process->open(recover_from, options);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    return process;
  }
  io::SimClock clock;
  io::SimDisk disk;
  kv::MemKvDisk kv_disk;
  journal::Position recover_from;
};

void expect_whole(Process& process, ShardId id) {
  const auto info = process.store->find(id);
  ASSERT_TRUE(info.has_value()) << "lost " << fmt::format("{}", id);
  const auto data = process.read(id, 0, info->bytes);
  ASSERT_TRUE(data.ok()) << data.error().text();
  EXPECT_EQ(data->text(), bytes_of(id, info->generation, info->bytes).text());
}

void expect_no_leak(Process& process) {
  uint64_t live = 0;
  for (const ShardInfo& info : process.store->list(std::nullopt, 10000)) live += info.bytes;
  EXPECT_EQ(process.store->capacity().used_bytes, live);
  EXPECT_EQ(process.store->capacity().free_bytes, kAreaBytes - live);
}

TEST(ChunkStore, ReadsAnyRangeOfWhatItStored) {
  Bed bed;
  auto process = bed.start();
  const ShardId id = shard_id(1);
  ASSERT_TRUE(process->put(info_of(id)).ok());
  process.reset();
  process = bed.start();
  const std::string expected(bytes_of(id, 1, 65536).text());
  for (const auto& [offset, size] :
       {std::pair{5, 7}, {16380, 10}, {0, 65536}, {65535, 1}, {100, 0}}) {
    const auto data = process->read(id, offset, size);
    ASSERT_TRUE(data.ok()) << data.error().text();
    EXPECT_EQ(data->text(), expected.substr(offset, size));
  }
  EXPECT_TRUE(process->read(id, 65536, 1).failed_with(Errc::out_of_range));
  EXPECT_TRUE(process->read(shard_id(2), 0, 1).failed_with(Errc::not_found));
}

TEST(ChunkStore, CachesWhatItWroteUnlessToldToForgetIt) {
  Bed bed;
  auto process = bed.start();
  const ShardInfo data = info_of(shard_id(1)), parity = info_of(shard_id(1, 4));
  ASSERT_TRUE(process->put(data).ok());
  ASSERT_TRUE(bed.clock
                  .run(process->store->put(parity, bytes_of(parity.shard, 1, parity.bytes),
                                           AfterPut::forget))
                  .ok());
  expect_whole(*process, data.shard);
  EXPECT_EQ(process->store->counters().cache_hits, 1U);
  expect_whole(*process, parity.shard);
  EXPECT_EQ(process->store->counters().cache_hits, 1U);
  expect_whole(*process, parity.shard);  // once read it may be read again
  EXPECT_EQ(process->store->counters().cache_hits, 2U);
}

TEST(ChunkStore, AnswersARepeatedPutAndRefusesADifferentOne) {
  Bed bed;
  auto process = bed.start();
  const ShardInfo info = info_of(shard_id(1));
  ASSERT_TRUE(process->put(info).ok());
  EXPECT_TRUE(process->put(info).ok());
  EXPECT_EQ(process->store->counters().puts, 1U);
  EXPECT_TRUE(bed.clock.run(process->store->put(info, bytes_of(shard_id(2), 1, 65536)))
                  .failed_with(Errc::conflict));
  ASSERT_TRUE(process->put(info_of(shard_id(1), 65536, 2)).ok());
  EXPECT_TRUE(process->put(info).failed_with(Errc::conflict));
  expect_whole(*process, shard_id(1));
  expect_no_leak(*process);
}

TEST(ChunkStore, RefusesWhenFullAndStillFrees) {
  Bed bed;
  Options options = store_options();
  options.reserve_bytes = 65536;
  auto process = bed.start(options);
  uint64_t count = 0;
  Result<> last;
  while ((last = process->put(info_of(shard_id(count)))).ok()) ++count;
  EXPECT_TRUE(last.failed_with(Errc::no_space)) << last.error().text();
  EXPECT_EQ(count, kAreaBytes / 65536 - 1);
  ASSERT_TRUE(bed.clock.run(process->store->free({shard_id(0), shard_id(999)})).ok());
  EXPECT_TRUE(process->put(info_of(shard_id(1000))).ok());
  expect_no_leak(*process);
}

TEST(ChunkStore, RepairsAShardThoughItIsFull) {
  Bed bed;
  Options options = store_options();
  options.reserve_bytes = 65536;
  auto process = bed.start(options);
  uint64_t count = 0;
  while (process->put(info_of(shard_id(count))).ok()) ++count;
  bed.disk.flip_bit(kAreaOffset + 100, 3);
  ASSERT_TRUE(bed.clock.run(process->store->verify(shard_id(0))).failed_with(Errc::corrupt));
  ASSERT_TRUE(process->put(info_of(shard_id(0), 65536, 2)).ok());
  EXPECT_TRUE(bed.clock.run(process->store->verify(shard_id(0))).ok());
  EXPECT_TRUE(process->put(info_of(shard_id(count))).failed_with(Errc::no_space));
  expect_no_leak(*process);
}

// A repair whose generation was not recorded before a crash comes with the same one again.
TEST(ChunkStore, WritesADamagedShardAgainUnderTheSameGeneration) {
  Bed bed;
  auto process = bed.start();
  ASSERT_TRUE(process->put(info_of(shard_id(1), 65536, 2)).ok());
  bed.disk.flip_bit(kAreaOffset + 100, 3);
  ASSERT_TRUE(bed.clock.run(process->store->verify(shard_id(1))).failed_with(Errc::corrupt));
  ASSERT_TRUE(process->put(info_of(shard_id(1), 65536, 2)).ok());
  EXPECT_TRUE(bed.clock.run(process->store->verify(shard_id(1))).ok());
  expect_whole(*process, shard_id(1));
  expect_no_leak(*process);
}

TEST(ChunkStore, FindsAFlippedBitInEveryBlock) {
  Bed bed;
  auto process = bed.start();
  // One more than is damaged: replay itself checks, and drops, what the journal's last batch put.
  for (uint64_t i = 0; i < 4; ++i) ASSERT_TRUE(process->put(info_of(shard_id(i), 69632)).ok());
  process.reset();
  for (uint64_t page = 0; page < uint64_t{3} * 17; ++page) {
    const uint64_t place = kAreaOffset + page * 4096 + (page * 977) % 4096;
    bed.disk.flip_bit(place, static_cast<int>(page % 8));
    process = bed.start();
    for (uint64_t i = 0; i < 3; ++i) {
      const Result<> verified = bed.clock.run(process->store->verify(shard_id(i)));
      EXPECT_EQ(verified.failed_with(Errc::corrupt), i == page / 17) << page << " " << i;
    }
    EXPECT_EQ(process->store->counters().checksum_errors, 1U);
    process.reset();
    bed.disk.flip_bit(place, static_cast<int>(page % 8));
  }
}

TEST(ChunkStore, FindsNothingWhenChecksumsAreSkipped) {
  // The planted fault: proves that the test above rests on the checksums.
  Bed bed;
  Options options = store_options();
  options.skip_checksums_for_test = true;
  auto process = bed.start(options);
  ASSERT_TRUE(process->put(info_of(shard_id(1))).ok());
  bed.disk.flip_bit(kAreaOffset + 100, 3);
  EXPECT_TRUE(bed.clock.run(process->store->verify(shard_id(1))).ok());
}

TEST(ChunkStore, FindsLostMisdirectedAndDamagedWrites) {
  for (int fault = 0; fault < 3; ++fault) {
    Bed bed;
    auto process = bed.start();
    for (uint64_t i = 0; i < 6; ++i) ASSERT_TRUE(process->put(info_of(shard_id(i))).ok());
    io::SimFaults& faults = bed.disk.faults;
    faults.silent_range = {kAreaOffset, kAreaBytes};
    (fault == 0   ? faults.lost_write_ppm
     : fault == 1 ? faults.misdirected_write_ppm
                  : faults.flipped_write_ppm) = 1'000'000;
    ASSERT_TRUE(process->put(info_of(shard_id(6))).ok());
    faults = {};
    EXPECT_TRUE(bed.clock.run(process->store->verify(shard_id(6))).failed_with(Errc::corrupt))
        << fault;
    // Whoever was hit by a misdirected write is found too: no read gives other bytes.
    for (uint64_t i = 0; i < 6; ++i) {
      if (bed.clock.run(process->store->verify(shard_id(i))).ok())
        expect_whole(*process, shard_id(i));
    }
  }
}

TEST(ChunkStore, ReportsAnUnreadableShardAndTakesANewCopy) {
  Bed bed;
  auto process = bed.start();
  ASSERT_TRUE(process->put(info_of(shard_id(1))).ok());
  bed.disk.faults.unreadable.push_back({kAreaOffset, 4096});
  EXPECT_TRUE(bed.clock.run(process->store->verify(shard_id(1))).failed_with(Errc::io));
  ASSERT_TRUE(process->put(info_of(shard_id(1), 65536, 2)).ok());
  EXPECT_TRUE(bed.clock.run(process->store->verify(shard_id(1))).ok());
  expect_whole(*process, shard_id(1));
}

// The bytes in memory are good; a repair that reads them would leave the damage where it is.
TEST(ChunkStore, ForgetsTheCachedBytesOfAShardThatFailsItsVerification) {
  Bed bed;
  const auto process = bed.start();
  ASSERT_TRUE(process->put(info_of(shard_id(1))).ok());
  bed.disk.flip_bit(kAreaOffset + 100, 3);
  EXPECT_TRUE(process->read(shard_id(1), 0, 65536).ok());
  EXPECT_TRUE(bed.clock.run(process->store->verify(shard_id(1))).failed_with(Errc::corrupt));
  EXPECT_TRUE(process->read(shard_id(1), 0, 65536).failed_with(Errc::corrupt));
}

TEST(ChunkStore, FailsForGoodAfterAFailedWrite) {
  Bed bed;
  auto process = bed.start();
  bed.disk.faults.fail_writes = true;
  EXPECT_TRUE(process->put(info_of(shard_id(1))).failed_with(Errc::io));
  bed.disk.faults = {};
  EXPECT_TRUE(process->put(info_of(shard_id(2))).failed_with(Errc::io));
}

// --- crashes -------------------------------------------------------------------------------------

struct Shards {
  std::map<ShardId, uint64_t> stored;  // acknowledged, with generation
  std::set<ShardId> unsure;            // an operation on it was not answered
};

Task<> run_one(ChunkStore& store, Shards& shards, uint64_t number, uint64_t step) {
  const ShardId id = shard_id(number);
  const uint64_t generation = shards.stored.contains(id) ? shards.stored[id] + 1 : 1 + step * 100;
  const bool freeing = shards.stored.contains(id) && (number + step) % 3 != 0;
  shards.unsure.insert(id);
  if (freeing) {
    std::vector<ShardId> one = {id};
    CO_TRY(co_await store.free(std::move(one)));
    shards.stored.erase(id);
  } else {
    const uint32_t bytes = static_cast<uint32_t>(1 + (number * 7 + step) % 16) * 4096;
    CO_TRY(
        co_await store.put({id, GroupId(3), generation, bytes}, bytes_of(id, generation, bytes)));
    shards.stored[id] = generation;
  }
  shards.unsure.erase(id);
  co_return Result<>{};
}

// Waves of parallel puts, rewrites and frees; index flushes with recovery positions in between.
Task<> run_load(Process& process, Shards& shards, uint64_t start, journal::Position& recover_from) {
  for (uint64_t step = start; step < start + 5; ++step) {
    std::vector<Task<>> tasks;
    tasks.reserve(6);
    for (uint64_t number = 0; number < 6; ++number) {
      tasks.push_back(run_one(*process.store, shards, (number * 5 + step) % 8, step));
    }
    const auto results = co_await when_all(std::move(tasks));
    for (const auto& result : results) CO_TRY(Result<>(result));
    if (step % 2 == 0) continue;
    const journal::Position safe = process.store->unapplied_from(process.journal->end());
    CO_TRY(co_await process.kv->flush());
    recover_from = safe;
    process.journal->set_recovery_position(safe);
  }
  co_return Result<>{};
}

void expect_consistent(Process& process, Shards& shards) {
  for (const auto& [id, generation] : shards.stored) {
    if (shards.unsure.contains(id)) continue;
    expect_whole(process, id);
    EXPECT_EQ(process.store->find(id)->generation, generation);
  }
  // What was not acknowledged is there whole or not at all; nothing else is there.
  Shards now;
  for (const ShardInfo& info : process.store->list(std::nullopt, 10000)) {
    expect_whole(process, info.shard);
    EXPECT_TRUE(shards.stored.contains(info.shard) || shards.unsure.contains(info.shard));
    now.stored[info.shard] = info.generation;
  }
  shards = std::move(now);
  expect_no_leak(process);
}

TEST(ChunkStore, KeepsWhatItAcknowledgedThroughCrashesAtEveryIo) {
  const io::CrashLoss losses[] = {io::CrashLoss::torn, io::CrashLoss::everything,
                                  io::CrashLoss::random_subset, io::CrashLoss::nothing};
  uint64_t crashes = 0;
  for (uint64_t nth = 1; nth <= 60; ++nth) {
    Bed bed(nth);
    Rng rng(nth);
    Shards shards;
    // Three lives on one disk, each cut at its own I/O: what one life dropped must stay dropped.
    for (uint64_t life = 0; life < 3; ++life) {
      SCOPED_TRACE(fmt::format("nth {} life {}", nth, life));
      const uint64_t before = bed.disk.counters().crashes;
      {
        auto process = bed.start();
        expect_consistent(*process, shards);
        if (HasFatalFailure() || HasFailure()) return;
        bed.disk.faults.crash_loss = losses[(nth + life) % 4];
        bed.disk.faults.crash_io = bed.disk.io_count() + (life == 1 ? 1 + nth % 9 : nth);
        (void)bed.clock.run(run_load(*process, shards, life * 10, bed.recover_from));
        bed.disk.faults = {};
      }
      crashes += bed.disk.counters().crashes - before;
      bed.kv_disk.crash(&rng);
    }
    auto process = bed.start();
    expect_consistent(*process, shards);
    if (HasFailure()) return;
  }
  EXPECT_GT(crashes, 100U);
}

TEST(Scrubber, ReportsTheBadShardAndKeepsToItsRate) {
  Bed bed;
  auto process = bed.start();
  for (uint64_t i = 0; i < 8; ++i) ASSERT_TRUE(process->put(info_of(shard_id(i))).ok());
  bed.disk.flip_bit(kAreaOffset + uint64_t{3} * 65536 + 5, 1);
  std::vector<ShardId> bad;
  Scrubber scrubber(bed.clock, *process->store, {.bytes_per_second = 65536},
                    [&](const ShardInfo& shard, const Error&) { bad.push_back(shard.shard); });
  const TimePoint start = bed.clock.now();
  const auto count = bed.clock.run(scrubber.run_once());
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(*count, 1U);
  EXPECT_EQ(bad, std::vector<ShardId>{shard_id(3)});
  EXPECT_GE(bed.clock.now() - start, std::chrono::seconds(7));
}

TEST(ChunkIndex, KeepsItsFormat) {
  EXPECT_EQ(shard_key(shard_id(0x0203, 5)), std::string("\0\0c\0\x10\0\0\0\0\x02\x03\x05", 12));
  const auto id = parse_shard_key(shard_key(shard_id(7, 2)));
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(*id, shard_id(7, 2));
  const Buffer page = Buffer::zeroed(4096);
  EXPECT_EQ(block_checksum(info_of(shard_id(1), 4096), 0, 9, page.view()), 6396685323037140432ULL);
}

}  // namespace
}  // namespace turbine::chunk
