// Files over an array: who may do what (POSIX.1-2017 §4.5).
#include <gtest/gtest.h>

#include "support/files_fixture.hpp"

namespace turbine::fs {
namespace {

using test::code_of;

struct FilesPermission : test::FilesFixture {
  InodeId private_dir = make_directory(bucket, "private", alice, 0700)->file.id;
  InodeId read_only = make_directory(bucket, "read-only", alice, 0755)->file.id;
  InodeId sticky = make_directory(bucket, "sticky", alice, 01777)->file.id;

  Errc set_mode(InodeId file, uint32_t mode, const Credentials& who) {
    NewStat stat;
    stat.mode = mode;
    return code_of(set_stat(file, stat, who));
  }
};

TEST_F(FilesPermission, LetsNobodyPassAClosedDirectory) {
  ASSERT_TRUE(create(private_dir, "f", alice).ok());
  EXPECT_EQ(code_of(lookup(private_dir, "f", bob)), Errc::denied);
  EXPECT_EQ(code_of(lookup(private_dir, "..", bob)), Errc::denied);
  EXPECT_EQ(code_of(run(files.list(bob, {private_dir, 0, 10, false}))), Errc::denied);
  EXPECT_EQ(code_of(create(private_dir, "f", bob)), Errc::denied);
  EXPECT_EQ(code_of(make_directory(private_dir, "g", bob)), Errc::denied);
  EXPECT_EQ(code_of(remove(private_dir, "f", bob)), Errc::denied);
  EXPECT_EQ(code_of(remove_directory(private_dir, "f", bob)), Errc::denied);
  EXPECT_EQ(code_of(rename(private_dir, "f", bucket, "f", bob)), Errc::denied);
  ASSERT_TRUE(create(bucket, "b", bob).ok());
  EXPECT_EQ(code_of(rename(bucket, "b", private_dir, "b", bob)), Errc::denied);
  EXPECT_TRUE(lookup(private_dir, "f", alice).ok());
  EXPECT_TRUE(lookup(private_dir, "f", root).ok());
  EXPECT_TRUE(remove(private_dir, "f", root).ok());
}

TEST_F(FilesPermission, LetsOnlyWritersChangeADirectory) {
  const InodeId file = create(read_only, "f", alice)->file.id;
  EXPECT_TRUE(lookup(read_only, "f", bob).ok());
  EXPECT_TRUE(run(files.list(bob, {read_only, 0, 10, false})).ok());
  EXPECT_EQ(code_of(create(read_only, "g", bob)), Errc::denied);
  EXPECT_EQ(code_of(create(read_only, "f", bob)), Errc::exists) << "what is there comes first";
  EXPECT_EQ(code_of(make_directory(read_only, "g", bob)), Errc::denied);
  EXPECT_EQ(code_of(link(file, read_only, "g", bob)), Errc::denied);
  EXPECT_EQ(code_of(remove(read_only, "f", bob)), Errc::denied);
  EXPECT_EQ(code_of(rename(read_only, "f", bucket, "f", bob)), Errc::denied);
  EXPECT_EQ(code_of(rename(read_only, "f", read_only, "g", bob)), Errc::denied);
  EXPECT_TRUE(lookup(read_only, "f").ok());
}

TEST_F(FilesPermission, ChecksBytes) {
  const InodeId file = create(bucket, "f", alice, 0640)->file.id;
  const Credentials in_group{.uid = 1002, .gid = 7, .groups = {100}};
  ASSERT_TRUE(write(file, 0, "bytes", alice).ok());
  EXPECT_EQ(read(file, 0, 100, in_group), "bytes");
  EXPECT_EQ(code_of(write(file, 0, "x", in_group)), Errc::denied);
  EXPECT_EQ(read(file, 0, 100, bob), "!denied");
  EXPECT_EQ(code_of(write(file, 0, "x", bob)), Errc::denied);
  NewStat stat;
  stat.size = 0;
  EXPECT_EQ(code_of(set_stat(file, stat, bob)), Errc::denied);
  EXPECT_EQ(set_mode(file, 0000, alice), Errc::ok);
  EXPECT_EQ(read(file, 0, 100, alice), "bytes") << "an owner may have opened it before";
  EXPECT_EQ(read(file, 0, 100, root), "bytes");
  EXPECT_EQ(set_mode(file, 0711, alice), Errc::ok);
  EXPECT_EQ(read(file, 0, 100, bob), "bytes") << "who may execute it reads it";
}

TEST_F(FilesPermission, LetsOnlyTheOwnerChangeAttributes) {
  const InodeId file = create(bucket, "f", alice, 0666)->file.id;
  EXPECT_EQ(set_mode(file, 0600, bob), Errc::not_permitted);
  NewStat stat;
  stat.uid = 1001;
  EXPECT_EQ(code_of(set_stat(file, stat, bob)), Errc::not_permitted);
  EXPECT_EQ(code_of(set_stat(file, stat, alice)), Errc::not_permitted);
  stat = {};
  stat.gid = 200;
  EXPECT_TRUE(set_stat(file, stat, alice).ok()) << "a group of hers";
  stat.gid = 101;
  EXPECT_EQ(code_of(set_stat(file, stat, alice)), Errc::not_permitted);
  stat = {};
  stat.modified = NewStat::Time{.now = true};
  EXPECT_TRUE(set_stat(file, stat, bob).ok()) << "who may write may say now";
  stat.modified = NewStat::Time{.now = false, .ns = 5};
  EXPECT_EQ(code_of(set_stat(file, stat, bob)), Errc::not_permitted);
  EXPECT_TRUE(set_stat(file, stat, alice).ok());
  EXPECT_EQ(set_mode(file, 0600, alice), Errc::ok);
  stat.modified = NewStat::Time{.now = true};
  EXPECT_EQ(code_of(set_stat(file, stat, bob)), Errc::denied);
  stat = {};
  stat.uid = 1001;
  stat.gid = 101;
  EXPECT_TRUE(set_stat(file, stat, root).ok());
  EXPECT_EQ(run(files.stat(file))->uid, 1001U);
}

TEST_F(FilesPermission, ClearsSetIdBits) {
  const InodeId file = create(bucket, "f", alice, 06755)->file.id;
  ASSERT_EQ(run(files.stat(file))->mode, 06755U);
  ASSERT_TRUE(write(file, 0, "x", root).ok());
  EXPECT_EQ(run(files.stat(file))->mode, 06755U);
  ASSERT_TRUE(write(file, 0, "x", alice).ok());
  EXPECT_EQ(run(files.stat(file))->mode, 0755U);
  EXPECT_EQ(set_mode(file, 06755, alice), Errc::ok);
  NewStat stat;
  stat.gid = 200;
  ASSERT_TRUE(set_stat(file, stat, alice).ok());
  EXPECT_EQ(run(files.stat(file))->mode & 06000U, 0U);
  EXPECT_EQ(set_mode(file, 06755, alice), Errc::ok);
  stat = {};
  stat.size = 100;
  ASSERT_TRUE(set_stat(file, stat, alice).ok());
  EXPECT_EQ(run(files.stat(file))->mode & 06000U, 0U) << "a change of length is one of content";
}

TEST_F(FilesPermission, KeepsFilesOfOthersInAStickyDirectory) {
  const InodeId theirs = create(sticky, "bobs", bob)->file.id;
  const Credentials carol{.uid = 1003, .gid = 103, .groups = {}};
  ASSERT_TRUE(make_directory(sticky, "bobs-dir", bob).ok());
  ASSERT_TRUE(create(sticky, "carols", carol).ok());
  EXPECT_EQ(code_of(remove(sticky, "bobs", carol)), Errc::not_permitted);
  EXPECT_EQ(code_of(remove_directory(sticky, "bobs-dir", carol)), Errc::not_permitted);
  EXPECT_EQ(code_of(rename(sticky, "bobs", bucket, "x", carol)), Errc::not_permitted);
  EXPECT_EQ(code_of(rename(sticky, "bobs", sticky, "x", carol)), Errc::not_permitted);
  EXPECT_EQ(code_of(rename(sticky, "carols", sticky, "bobs", carol)), Errc::not_permitted);
  ASSERT_TRUE(link(theirs, directory_elsewhere(bucket, sticky.partition()), "linked").ok());
  EXPECT_EQ(code_of(remove(sticky, "bobs", carol)), Errc::not_permitted) << "a row of its own now";
  EXPECT_TRUE(remove(sticky, "bobs", bob).ok());
  EXPECT_TRUE(remove_directory(sticky, "bobs-dir", alice).ok()) << "the directory is hers";
}

TEST_F(FilesPermission, HandsDownTheGroup) {
  const InodeId shared = make_directory(bucket, "shared", root, 02777)->file.id;
  NewStat stat;
  stat.gid = 555;
  ASSERT_TRUE(set_stat(shared, stat, root).ok());
  ASSERT_EQ(run(files.stat(shared))->mode, 02777U);
  EXPECT_EQ(create(shared, "f", alice)->file.gid, 555U);
  const auto inner = make_directory(shared, "d", alice);
  EXPECT_EQ(inner->file.gid, 555U);
  EXPECT_EQ(inner->file.mode & 02000U, 02000U);
  EXPECT_EQ(create(inner->file.id, "f", alice)->file.gid, 555U);
  EXPECT_EQ(create(bucket, "g", alice)->file.gid, 100U);
}

TEST_F(FilesPermission, NeedsWriteRightForAnotherParent) {
  const InodeId moved = make_directory(bucket, "d", alice, 0555)->file.id;
  const InodeId to = make_directory(bucket, "to", alice, 0777)->file.id;
  EXPECT_EQ(code_of(rename(bucket, "d", to, "d", bob)), Errc::denied) << "its entry .. changes";
  EXPECT_TRUE(rename(bucket, "d", bucket, "e", bob).ok());
  EXPECT_EQ(set_mode(moved, 0777, alice), Errc::ok);
  EXPECT_TRUE(rename(bucket, "e", to, "d", bob).ok());
}

TEST_F(FilesPermission, GivesNoFilesAway) {
  NewFileRequest request = request_of(bucket, "f");
  request.attributes.uid = 1001;
  EXPECT_EQ(code_of(run(files.create(call(), alice, request))), Errc::not_permitted);
  request.attributes = {};
  request.attributes.gid = 101;
  EXPECT_EQ(code_of(run(files.create(call(), alice, request))), Errc::not_permitted);
  request.attributes.gid = 200;
  EXPECT_EQ(run(files.create(call(), alice, request))->file.gid, 200U);
  request.name = "g";
  request.attributes.uid = 1001;
  EXPECT_EQ(run(files.create(call(), root, request))->file.uid, 1001U);
  request.name = "d";
  request.attributes.mode = 0700;
  const auto made = run(files.make_directory(call(), root, request));
  EXPECT_EQ(made->file.uid, 1001U);
  EXPECT_EQ(made->file.gid, 200U);
}

}  // namespace
}  // namespace turbine::fs
