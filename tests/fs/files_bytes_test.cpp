// Files over an array: bytes in place.
#include <gtest/gtest.h>

#include "support/files_fixture.hpp"

namespace turbine::fs {
namespace {

using test::code_of;

struct FilesBytes : test::FilesFixture {
  InodeId file = create(bucket, "f", root, 0666)->file.id;
  Rng rng{3};

  std::string random_text(size_t size) {
    std::string bytes(size, '\0');
    rng.fill(MutableByteView(reinterpret_cast<std::byte*>(bytes.data()), size));
    return bytes;
  }
  void settle() { array.clock.advance(std::chrono::seconds(60)); }
  size_t shard_count() const {
    size_t count = 0;
    for (const auto& blade : array.blades) count += blade->shards.shards.size();
    return count;
  }
};

TEST_F(FilesBytes, HasHolesOfZeroes) {
  const auto change = write(file, 10, "abc");
  ASSERT_TRUE(change.ok());
  ASSERT_TRUE(change->before && change->after);
  EXPECT_EQ(change->before->size, 0U);
  EXPECT_EQ(change->after->size, 13U);
  EXPECT_LE(change->after->used_bytes, 3U);
  EXPECT_EQ(read(file), std::string(10, '\0') + "abc");
  ASSERT_TRUE(truncate(file, 20).ok());
  EXPECT_EQ(read(file), std::string(10, '\0') + "abc" + std::string(7, '\0'));
  ASSERT_TRUE(truncate(file, 12).ok());
  ASSERT_TRUE(truncate(file, 14).ok());
  EXPECT_EQ(read(file), std::string(10, '\0') + "ab" + std::string(2, '\0'));
  EXPECT_EQ(read(file, 14), "");
  EXPECT_EQ(read(file, 1000), "");
  EXPECT_EQ(read(file, 11, 1), "b");
  EXPECT_EQ(get("f"), std::string(10, '\0') + "ab" + std::string(2, '\0'));
}

TEST_F(FilesBytes, ReachesTo16TiBAndNoFurther) {
  constexpr uint64_t kEnd = uint64_t{16} << 40;
  ASSERT_TRUE(write(file, kEnd - 4, "last").ok());
  EXPECT_EQ(run(files.stat(file))->size, kEnd);
  EXPECT_EQ(read(file, kEnd - 6, 100), std::string("\0\0last", 6));
  EXPECT_EQ(code_of(write(file, kEnd - 3, "last")), Errc::too_large);
  EXPECT_EQ(code_of(write(file, UINT64_MAX - 1, "last")), Errc::too_large);
  EXPECT_EQ(code_of(write(file, kEnd - 1, random_text(100'000))), Errc::too_large);
  EXPECT_EQ(code_of(truncate(file, kEnd + 1)), Errc::too_large);
  EXPECT_EQ(read(file, UINT64_MAX - 1, 100), "");
  ASSERT_TRUE(truncate(file, kEnd).ok());
  ASSERT_TRUE(truncate(file, 1).ok());
  EXPECT_EQ(read(file), std::string(1, '\0'));
}

TEST_F(FilesBytes, TakesWritesOfAnySizeAnywhere) {
  std::string model;
  for (int i = 0; i < 150; ++i) {
    const uint64_t offset = rng.below(2'000'000);
    const size_t size = rng.chance(1, 2) ? rng.below(1 << 20) : rng.below(70'000);
    const std::string bytes = random_text(size);
    ASSERT_TRUE(write(file, offset, bytes).ok()) << i;
    if (size > 0) {
      model.resize(std::max<size_t>(model.size(), offset + size));
      model.replace(offset, size, bytes);
    }
    if (rng.chance(1, 10)) {
      const uint64_t end = rng.below(3'000'000);
      ASSERT_TRUE(truncate(file, end).ok());
      model.resize(end);
    }
    const uint64_t from = rng.below(3'000'000);
    const auto count = static_cast<uint32_t>(rng.below(1 << 20));
    ASSERT_TRUE(read(file, from, count) ==
                (from < model.size() ? model.substr(from, count) : std::string()))
        << i;
    if (i % 40 == 0) settle();
    ASSERT_EQ(run(files.stat(file))->size, model.size());
  }
  EXPECT_TRUE(get("f") == model);
}

TEST_F(FilesBytes, WritesInPiecesAsOne) {
  std::string all;
  std::vector<Buffer> pieces;
  for (const size_t size : {1000, 0, 70'001, 4096, 1}) {
    all += random_text(size);
    pieces.push_back(Buffer::copy_of(std::string_view(all).substr(all.size() - size)));
  }
  ASSERT_TRUE(run(files.write(call(), root, file, 3, pieces)).ok());
  EXPECT_TRUE(read(file, 3) == all);
  pieces.resize(2);
  ASSERT_TRUE(run(files.write(call(), root, file, 1, pieces)).ok());
  EXPECT_TRUE(read(file, 1, 1000) == all.substr(0, 1000));
  ASSERT_TRUE(run(files.write(call(), root, file, 1, {})).ok());
}

struct Writes {
  static Task<> all(std::vector<Task<FileChange>> writes) {
    for (auto& result : co_await when_all(std::move(writes))) {
      if (!result.ok()) co_return fail(std::move(result).error());
    }
    co_return Result<>{};
  }
};

TEST_F(FilesBytes, KeepsParallelWritesApart) {
  std::string model(64 * 10'000 + 16 * 200'000, '\0');
  std::vector<Task<FileChange>> writes;
  size_t offset = 0;
  for (int i = 0; i < 80; ++i) {
    const size_t size = i % 5 == 4 ? 200'000 : 10'000;
    const std::string bytes = random_text(size);
    model.replace(offset, size, bytes);
    writes.push_back(files.write(call(), root, file, offset, {Buffer::copy_of(bytes)}));
    offset += size;
  }
  const TimePoint start = array.clock.now();
  ASSERT_TRUE(run(Writes::all(std::move(writes))).ok());
  const Duration parallel = array.clock.now() - start;
  std::string bytes;
  for (size_t at = 0; at < model.size(); at += 1 << 20) bytes += read(file, at);
  EXPECT_TRUE(bytes == model);
  const TimePoint alone = array.clock.now();
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(write(file, i, random_text(10'000)).ok());
  EXPECT_LT(parallel, 3 * (array.clock.now() - alone)) << "80 at once, against 8 in turn";
}

TEST_F(FilesBytes, WritesWhatOverlapsAsAWhole) {
  for (int round = 0; round < 10; ++round) {
    std::vector<Task<FileChange>> writes;
    for (int i = 0; i < 6; ++i) {
      const size_t size = i % 2 == 0 ? 90'000 : 60'000;
      writes.push_back(files.write(
          call(), root, file, 0, {Buffer::copy_of(std::string(size, static_cast<char>('a' + i)))}));
    }
    ASSERT_TRUE(run(Writes::all(std::move(writes))).ok());
    const std::string bytes = read(file);
    ASSERT_EQ(bytes.size(), 90'000U);
    EXPECT_EQ(bytes.find_first_not_of(bytes[0]), bytes[0] % 2 == 'a' % 2 ? bytes.npos : 60'000U);
    EXPECT_EQ(bytes.find_first_not_of(bytes.back(), 60'000), bytes.npos);
  }
}

TEST_F(FilesBytes, FreesWhatIsOverwrittenAndCutOff) {
  ASSERT_TRUE(write(file, 0, random_text(1 << 20)).ok());
  settle();
  const size_t once = shard_count();
  EXPECT_GT(once, 0U);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(write(file, 0, random_text(1 << 20)).ok());
  settle();
  EXPECT_EQ(shard_count(), once);
  ASSERT_TRUE(truncate(file, 0).ok());
  settle();
  EXPECT_EQ(shard_count(), 0U);
  ASSERT_TRUE(write(file, 100'000, random_text(1 << 20)).ok());
  ASSERT_TRUE(truncate(file, 50).ok());
  settle();
  EXPECT_EQ(shard_count(), 0U);
}

TEST_F(FilesBytes, ReadsWhatIsThereNowAlsoWhenItHadBeenReadOften) {
  const auto read_some = [&](InodeId inode, const std::string& all) {
    for (const uint64_t at : {0U, 70'000U, 1'000'000U, 0U}) {
      EXPECT_TRUE(read(inode, at, 4096) == all.substr(at, 4096)) << at;
    }
  };
  std::string all = random_text(17 << 20);
  ASSERT_TRUE(put("big", all).ok());
  const InodeId big = lookup(bucket, "big")->id;
  read_some(big, all);
  ASSERT_TRUE(write(big, 70'000, "in place").ok());
  all.replace(70'000, 8, "in place");
  read_some(big, all);
  // A reader's pin keeps the version that was read often: nobody else is to get it.
  const auto reader = run(objects.open(objects.begin(7), "bucket", "big"));
  ASSERT_TRUE(reader.ok());
  const std::string other = random_text(2 << 20);
  ASSERT_TRUE(put("big", other).ok());
  EXPECT_EQ(lookup(bucket, "big")->id, big);
  read_some(big, other);
}

TEST_F(FilesBytes, FreesTheStripesOfAWriteThatIsRefused) {
  NewStat stat;
  stat.mode = 0600;
  ASSERT_TRUE(set_stat(file, stat).ok());
  EXPECT_EQ(code_of(write(file, 0, random_text(200'000), bob)), Errc::denied);
  EXPECT_EQ(code_of(write(bucket, 0, random_text(200'000))), Errc::is_directory);
  ASSERT_TRUE(remove(bucket, "f").ok());
  EXPECT_EQ(code_of(write(file, 0, random_text(200'000))), Errc::stale);
  settle();
  EXPECT_EQ(shard_count(), 0U);
}

TEST_F(FilesBytes, ShowsS3EveryChange) {
  ASSERT_TRUE(put("o", "as put").ok());
  const InodeId object = lookup(bucket, "o")->id;
  const auto put_info = run(objects.head(objects.begin(7), "bucket", "o"));
  EXPECT_EQ(put_info->etag.find('-'), std::string::npos);
  std::set<std::string> etags = {put_info->etag};
  int64_t last = put_info->modified_ns;
  NewStat backwards;
  backwards.modified = NewStat::Time{.now = false, .ns = 1};
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(i == 2 ? truncate(object, 3).ok() : write(object, 2, "in place").ok());
    ASSERT_TRUE(set_stat(object, backwards).ok());
    EXPECT_EQ(run(files.stat(object))->modified_ns, 1);
    const auto info = run(objects.head(objects.begin(7), "bucket", "o"));
    EXPECT_NE(info->etag.find('-'), std::string::npos);
    EXPECT_TRUE(etags.insert(info->etag).second) << "another content, another ETag";
    EXPECT_GT(info->modified_ns, last);
    last = info->modified_ns;
    EXPECT_EQ(get("o"), read(object));
  }
  EXPECT_EQ(get("o"), "asin place");
}

TEST_F(FilesBytes, StampsTimes) {
  const auto before = run(files.stat(file));
  array.clock.advance(std::chrono::seconds(5));
  ASSERT_TRUE(write(file, 0, "x").ok());
  auto after = run(files.stat(file));
  EXPECT_GE(after->modified_ns, before->modified_ns + 5'000'000'000);
  EXPECT_EQ(after->changed_ns, after->modified_ns);
  NewStat stat;
  stat.accessed = NewStat::Time{.now = false, .ns = -1};
  stat.modified = NewStat::Time{.now = true};
  ASSERT_TRUE(set_stat(file, stat).ok());
  const auto set = run(files.stat(file));
  EXPECT_EQ(set->accessed_ns, -1);
  EXPECT_GE(set->modified_ns, after->modified_ns);
  EXPECT_GT(set->changed_ns, after->changed_ns);
  stat = {};
  stat.mode = 0600;
  EXPECT_EQ(code_of(run(files.set_stat(call(), root, file, stat, after->changed_ns))),
            Errc::precondition_failed);
  EXPECT_TRUE(run(files.set_stat(call(), root, file, stat, set->changed_ns)).ok());
  stat = {};
  stat.modified = NewStat::Time{.now = false, .ns = 0};
  ASSERT_TRUE(set_stat(file, stat).ok());
  EXPECT_EQ(run(files.stat(file))->modified_ns, 0) << "1970 is a time like others";
}

TEST_F(FilesBytes, ChangesObjectsOfPartsInPlace) {
  auto upload = run(objects.create_upload(objects.begin(7), "bucket", "parts", NewObject{}));
  ASSERT_TRUE(upload.ok());
  std::string all;
  std::vector<PartInfo> parts;
  for (const uint32_t number : {1U, 2U}) {
    const std::string bytes = random_text(300'000);
    all += bytes;
    auto writer =
        run(objects.create_part(objects.begin(7), "bucket", "parts", upload->id, number, {}));
    ASSERT_TRUE(run((*writer)->write(Buffer::copy_of(bytes))).ok());
    NewObject attributes;
    attributes.etag = fmt::format("part{}", number);
    ASSERT_TRUE(run((*writer)->commit(attributes, {})).ok());
    parts.push_back({.number = number, .size = 0, .etag = attributes.etag, .modified_ns = 0});
  }
  ASSERT_TRUE(run(objects.complete_upload(objects.begin(7), "bucket", "parts", upload->id, parts,
                                          {}, "whole-2"))
                  .ok());
  const InodeId object = lookup(bucket, "parts")->id;
  EXPECT_TRUE(read(object) == all);
  EXPECT_TRUE(read(object, 299'990, 20) == all.substr(299'990, 20));
  const auto write_both = [&](uint64_t at, const std::string& text) {
    ASSERT_TRUE(write(object, at, text).ok());
    if (all.size() < at + text.size()) all.resize(at + text.size());
    all.replace(at, text.size(), text);
    ASSERT_TRUE(read(object) == all) << "after a write at " << at;
    ASSERT_TRUE(get("parts") == all) << "after a write at " << at;
  };
  write_both(5, "x");
  write_both(250'000, random_text(100'000));  // over the border of two parts
  write_both(260'000, "within that");
  write_both(600'000, "behind the end");
  ASSERT_TRUE(truncate(object, 280'000).ok());
  all.resize(280'000);
  EXPECT_TRUE(read(object) == all);
  ASSERT_TRUE(truncate(object, 610'000).ok());
  all.resize(610'000);
  EXPECT_TRUE(read(object) == all) << "what was cut off comes back as zeroes";
  write_both(400'000, "in the hole");
  const InodeId elsewhere = directory_elsewhere(bucket, bucket.partition());
  ASSERT_TRUE(link(object, elsewhere, "linked").ok());
  ASSERT_TRUE(remove(bucket, "parts").ok());
  EXPECT_TRUE(read(object) == all);
  ASSERT_TRUE(rename(elsewhere, "linked", bucket, "parts").ok());
  EXPECT_TRUE(get("parts") == all);
  ASSERT_TRUE(truncate(object, 0).ok());
  ASSERT_TRUE(write(object, 2, "now").ok());
  EXPECT_EQ(read(object), std::string("\0\0now", 5));
  EXPECT_EQ(get("parts"), std::string("\0\0now", 5));
  ASSERT_TRUE(remove(bucket, "parts").ok());
  settle();
  EXPECT_EQ(shard_count(), 0U);
}

TEST_F(FilesBytes, TellsOfSpace) {
  const auto space = run(files.space(bucket));
  ASSERT_TRUE(space.ok());
  EXPECT_LE(space->free_bytes, space->total_bytes);
  EXPECT_EQ(code_of(run(files.space(InodeId::make(PartitionId(2), 99)))), Errc::stale);
}

}  // namespace
}  // namespace turbine::fs
