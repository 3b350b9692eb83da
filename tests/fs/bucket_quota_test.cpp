// A bucket's quota through both doors: objects and files.
#include <gtest/gtest.h>

#include "fs/file_system.hpp"
#include "meta/partition_host.hpp"
#include "support/small_array.hpp"

namespace turbine::fs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint64_t kLimit = 3 << 20;

struct BucketQuota : testing::Test {
  test::SmallArray array{6, 16};
  FileSystem& objects = *array.files;
  Files& files = array.files->files();
  InodeId bucket;

  BucketQuota() {
    bucket = run(objects.create_bucket(objects.begin(7), "b")).value().inode;
    put("before", 1 << 20).value();
    array.set_quota(bucket, kLimit);
    EXPECT_TRUE(array.clock.run_until(
        [&] {
          const auto& home = array.blades[bucket.partition().value % 6]->host->partitions();
          for (const auto& partition : home) {
            const auto found = partition->image().quotas().find(bucket.value);
            if (found != partition->image().quotas().end()) return found->second.complete();
          }
          return false;
        },
        seconds(10)));
  }
  template <class T>
  Result<T> run(Task<T> task) {
    return array.clock.run(std::move(task));
  }
  static Task<ObjectInfo> put_object(FileSystem& objects, std::string key, size_t size) {
    auto writer = CO_TRY(co_await objects.create(objects.begin(7), "b", key, size));
    CO_TRY(co_await writer->write(Buffer::copy_of(std::string(size, 'x'))));
    co_return co_await writer->commit({}, {});
  }
  Result<ObjectInfo> put(const std::string& key, size_t size) {
    return run(put_object(objects, key, size));
  }
  Result<MadeFile> create(const std::string& name) {
    NewFileRequest request;
    request.directory = bucket;
    request.name = name;
    return run(files.create(objects.begin(7), {}, std::move(request)));
  }
  Result<FileChange> write(InodeId file, uint64_t offset, size_t size) {
    return run(
        files.write(objects.begin(7), {}, file, offset, {Buffer::copy_of(std::string(size, 'y'))}));
  }
  /// When what was answered has been told everywhere.
  SpaceStat space() {
    array.clock.advance(milliseconds(50));
    return run(files.space(bucket)).value();
  }
};

TEST_F(BucketQuota, IsOneForObjectsAndFiles) {
  EXPECT_EQ(space().total_bytes, kLimit);
  EXPECT_EQ(space().free_bytes, kLimit - (1 << 20));
  const auto made = create("file");
  ASSERT_TRUE(made.ok()) << made.error().text();
  ASSERT_TRUE(write(made->file.id, 0, 1 << 20).ok());
  ASSERT_TRUE(put("d/e/striped", (1 << 20) - 10).ok());
  EXPECT_EQ(space().free_bytes, 10U);
  EXPECT_TRUE(put("small", 11).failed_with(Errc::quota_exceeded));
  EXPECT_TRUE(put("large", 1 << 20).failed_with(Errc::quota_exceeded));
  EXPECT_TRUE(write(made->file.id, 1 << 20, 11).failed_with(Errc::quota_exceeded));
  EXPECT_TRUE(write(made->file.id, 1 << 20, 1 << 20).failed_with(Errc::quota_exceeded));
  ASSERT_TRUE(write(made->file.id, 1 << 20, 10).ok());
  EXPECT_EQ(space().free_bytes, 0U);
  EXPECT_TRUE(put("small", 1).failed_with(Errc::quota_exceeded));
  EXPECT_TRUE(create("empty").ok());
  EXPECT_TRUE(write(made->file.id, 0, 1 << 20).ok()) << "nothing is longer";
  ASSERT_TRUE(run(objects.remove(objects.begin(7), "b", "before", {})).ok());
  EXPECT_EQ(space().free_bytes, 1U << 20);
  EXPECT_TRUE(put("small", 1 << 20).ok());
}

TEST_F(BucketQuota, CountsAnUploadWhenItIsCompleted) {
  const auto upload = run(objects.create_upload(objects.begin(7), "b", "k", {})).value();
  std::vector<PartInfo> parts;
  for (uint32_t number = 1; number <= 3; ++number) {
    auto writer =
        run(objects.create_part(objects.begin(7), "b", "k", upload.id, number, {})).value();
    ASSERT_TRUE(run(writer->write(Buffer::copy_of(std::string(1 << 20, 'p')))).ok());
    NewObject attributes;
    attributes.etag = "e";
    ASSERT_TRUE(run(writer->commit(attributes, {})).ok());
    PartInfo part;
    part.number = number;
    part.etag = "e";
    parts.push_back(part);
  }
  EXPECT_EQ(space().free_bytes, kLimit - (1 << 20));
  const auto complete = [&] {
    return run(objects.complete_upload(objects.begin(7), "b", "k", upload.id, parts, {}));
  };
  EXPECT_TRUE(complete().failed_with(Errc::quota_exceeded));
  ASSERT_TRUE(run(objects.remove(objects.begin(7), "b", "before", {})).ok());
  const auto done = complete();
  ASSERT_TRUE(done.ok()) << done.error().text();
  EXPECT_EQ(space().free_bytes, 0U);
}

TEST_F(BucketQuota, IsToldWithWhatTheBucketHolds) {
  const InodeId other = run(objects.create_bucket(objects.begin(7), "c")).value().inode;
  const auto usage = run(objects.bucket_usage(objects.begin(7), {bucket, other})).value();
  ASSERT_EQ(usage.size(), 2U);
  EXPECT_EQ(usage[0].bytes, 1U << 20);
  EXPECT_EQ(usage[0].files, 1U);
  ASSERT_TRUE(usage[0].quota.has_value());
  EXPECT_EQ(usage[0].quota->limit_bytes, kLimit);
  EXPECT_EQ(usage[0].quota->used_bytes, 1U << 20);
  EXPECT_TRUE(usage[0].quota->enforced);
  EXPECT_EQ(usage[1].bytes, 0U);
  EXPECT_FALSE(usage[1].quota.has_value());
  EXPECT_EQ(run(files.space(other)).value().total_bytes,
            run(files.space(kRootInode)).value().total_bytes);
}

TEST_F(BucketQuota, OwnerAndModeOfABucketAreThoseOfItsObjects) {
  const auto set =
      run(objects.set_bucket_attributes(objects.begin(7), "b", {.uid = 5, .gid = 6, .mode = 0750}));
  ASSERT_TRUE(set.ok()) << set.error().text();
  const auto after = run(objects.set_bucket_attributes(objects.begin(7), "b", {})).value();
  EXPECT_EQ(after.uid, 5U);
  EXPECT_EQ(after.gid, 6U);
  EXPECT_EQ(after.mode, 0750U);
  const auto made = put("mine", 1);
  ASSERT_TRUE(made.ok());
  const FileStat stat = run(files.stat(made->inode)).value();
  EXPECT_EQ(stat.uid, 5U);
  EXPECT_EQ(stat.gid, 6U);
  EXPECT_EQ(stat.mode & 0777U, 0640U);
  EXPECT_TRUE(run(objects.set_bucket_attributes(objects.begin(7), "absent", after))
                  .failed_with(Errc::not_found));
}

}  // namespace
}  // namespace turbine::fs
