// Files over an array: files, directories, links and devices are made, and removed.
#include <gtest/gtest.h>

#include "support/files_fixture.hpp"

namespace turbine::fs {
namespace {

using test::code_of;
struct FilesCreate : test::FilesFixture {};

TEST_F(FilesCreate, MakesARegularFile) {
  const auto made = create(bucket, "f", alice, 0640);
  ASSERT_TRUE(made.ok()) << made.error().text();
  EXPECT_EQ(made->file.type, FileType::regular);
  EXPECT_EQ(made->file.mode, 0640U);
  EXPECT_EQ(made->file.links, 1U);
  EXPECT_EQ(made->file.uid, 1000U);
  EXPECT_EQ(made->file.gid, 100U);
  EXPECT_EQ(made->file.size, 0U);
  ASSERT_TRUE(made->directory.before && made->directory.after);
  EXPECT_EQ(made->directory.after->id, bucket);
  EXPECT_LT(made->directory.before->changed_ns, made->directory.after->changed_ns);
  EXPECT_LT(made->directory.before->modified_ns, made->directory.after->modified_ns);
  const auto found = lookup(bucket, "f");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->id, made->file.id);
  EXPECT_EQ(code_of(create(bucket, "f")), Errc::exists);
  EXPECT_EQ(get("f"), "");
}

TEST_F(FilesCreate, TakesWhatIsThereUnchecked) {
  NewFileRequest request = request_of(bucket, "f", 0600);
  const auto first = run(files.create(call(), alice, request));
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(write(first->file.id, 0, "bytes").ok());
  request.attributes.mode = 0777;
  request.attributes.size = 3;
  const auto again = run(files.create(call(), alice, request));
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->file.id, first->file.id);
  EXPECT_EQ(again->file.mode, 0600U);
  EXPECT_EQ(again->file.size, 5U) << "only size 0 counts for a file that is there";
  request.attributes.size = 0;
  const auto emptied = run(files.create(call(), alice, request));
  ASSERT_TRUE(emptied.ok());
  EXPECT_EQ(emptied->file.size, 0U);
  EXPECT_EQ(read(first->file.id), "");
  const auto not_writable = run(files.create(call(), bob, request));
  EXPECT_TRUE(not_writable.ok()) << "there is nothing to empty";
  ASSERT_TRUE(write(first->file.id, 0, "bytes").ok());
  EXPECT_EQ(code_of(run(files.create(call(), bob, request))), Errc::denied);
}

TEST_F(FilesCreate, GivesANewFileItsAttributes) {
  NewFileRequest request = request_of(bucket, "f", 04755);
  request.attributes.size = 100;
  request.attributes.modified = NewStat::Time{.now = false, .ns = 12345};
  request.attributes.accessed = NewStat::Time{.now = false, .ns = 54321};
  const auto made = run(files.create(call(), alice, request));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->file.size, 100U);
  EXPECT_EQ(made->file.mode, 04755U);
  EXPECT_EQ(made->file.accessed_ns, 54321);
  EXPECT_EQ(read(made->file.id), std::string(100, '\0'));
  request.name = "g";
  request.attributes = {};
  request.attributes.modified = NewStat::Time{.now = false, .ns = 12345};
  const auto empty = run(files.create(call(), alice, request));
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->file.modified_ns, 12345);
}

TEST_F(FilesCreate, IsExclusiveByItsVerifier) {
  NewFileRequest request = request_of(bucket, "f");
  request.mode = CreateMode::exclusive;
  request.verifier = 0x1122334455667788;
  const auto made = run(files.create(call(), alice, request));
  ASSERT_TRUE(made.ok());
  const auto again = run(files.create(call(), alice, request));
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->file.id, made->file.id);
  request.verifier ^= 1;
  EXPECT_EQ(code_of(run(files.create(call(), alice, request))), Errc::exists);
  request.name = "g";
  ASSERT_TRUE(create(bucket, "g", alice).ok());
  request.verifier = 0;
  EXPECT_EQ(code_of(run(files.create(call(), alice, request))), Errc::exists);
}

TEST_F(FilesCreate, KnowsTheVerifierOfAFileWithTwoNames) {
  const InodeId elsewhere = directory_elsewhere(bucket, bucket.partition());
  NewFileRequest request = request_of(bucket, "f");
  request.mode = CreateMode::exclusive;
  request.verifier = 42;
  const auto made = run(files.create(call(), alice, request));
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE(link(made->file.id, elsewhere, "g").ok());
  const auto again = run(files.create(call(), alice, request));
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->file.id, made->file.id);
  request.directory = elsewhere;
  request.name = "g";
  const auto other = run(files.create(call(), alice, request));
  ASSERT_TRUE(other.ok()) << other.error().text();
  EXPECT_EQ(other->file.id, made->file.id);
  EXPECT_EQ(other->file.links, 2U);
}

TEST_F(FilesCreate, RefusesNamesThatAreTaken) {
  ASSERT_TRUE(make_directory(bucket, "d").ok());
  ASSERT_TRUE(make_symlink(bucket, "s", "to").ok());
  ASSERT_TRUE(create(bucket, "f").ok());
  for (const char* name : {"d", "s"}) {
    EXPECT_EQ(code_of(run(files.create(call(), root, request_of(bucket, name)))), Errc::exists);
  }
  for (const char* name : {"d", "s", "f"}) {
    EXPECT_EQ(code_of(make_directory(bucket, name)), Errc::exists) << name;
    EXPECT_EQ(code_of(make_symlink(bucket, name, "to")), Errc::exists) << name;
    NewFileRequest request = request_of(bucket, name);
    request.type = FileType::fifo;
    EXPECT_EQ(code_of(run(files.make_special(call(), root, request))), Errc::exists) << name;
  }
}

TEST_F(FilesCreate, RefusesNamesThatNoFileCanHave) {
  EXPECT_EQ(code_of(create(bucket, "")), Errc::invalid);
  EXPECT_EQ(code_of(create(bucket, "a/b")), Errc::invalid);
  EXPECT_EQ(code_of(create(bucket, std::string("a\0b", 3))), Errc::invalid);
  EXPECT_EQ(code_of(create(bucket, std::string(256, 'x'))), Errc::name_too_long);
  EXPECT_TRUE(create(bucket, std::string(255, 'x')).ok());
  EXPECT_EQ(code_of(lookup(bucket, std::string(256, 'x'))), Errc::name_too_long);
  const auto file = create(bucket, "f");
  ASSERT_TRUE(file.ok());
  for (const char* dots : {".", ".."}) {
    EXPECT_EQ(code_of(create(bucket, dots)), Errc::exists) << dots;
    EXPECT_EQ(code_of(run(files.create(call(), root, request_of(bucket, dots)))), Errc::exists);
    EXPECT_EQ(code_of(make_directory(bucket, dots)), Errc::exists) << dots;
    EXPECT_EQ(code_of(make_symlink(bucket, dots, "to")), Errc::exists) << dots;
    EXPECT_EQ(code_of(link(file->file.id, bucket, dots)), Errc::exists) << dots;
    EXPECT_EQ(code_of(remove(bucket, dots)), Errc::invalid) << dots;
    EXPECT_EQ(code_of(remove_directory(bucket, dots)), Errc::invalid) << dots;
    EXPECT_EQ(code_of(rename(bucket, dots, bucket, "g")), Errc::invalid) << dots;
    EXPECT_EQ(code_of(rename(bucket, "f", bucket, dots)), Errc::invalid) << dots;
  }
}

TEST_F(FilesCreate, MakesNothingInWhatIsNoDirectory) {
  const InodeId file = create(bucket, "f")->file.id;
  EXPECT_EQ(code_of(create(file, "g")), Errc::not_directory);
  EXPECT_EQ(code_of(make_directory(file, "g")), Errc::not_directory);
  EXPECT_EQ(code_of(lookup(file, "g")), Errc::not_directory);
  EXPECT_EQ(code_of(lookup(file, ".")), Errc::not_directory);
  EXPECT_EQ(code_of(run(files.list(root, {file, 0, 10, false}))), Errc::not_directory);
  EXPECT_EQ(code_of(rename(bucket, "f", file, "g")), Errc::not_directory);
  const InodeId gone = make_directory(bucket, "d")->file.id;
  ASSERT_TRUE(remove_directory(bucket, "d").ok());
  EXPECT_EQ(code_of(create(gone, "g")), Errc::stale);
  EXPECT_EQ(code_of(make_directory(gone, "g")), Errc::stale);
  EXPECT_EQ(code_of(link(file, gone, "g")), Errc::stale);
  EXPECT_EQ(code_of(rename(bucket, "f", gone, "g")), Errc::stale);
  EXPECT_EQ(code_of(rename(gone, "f", bucket, "g")), Errc::stale);
  EXPECT_EQ(code_of(remove(gone, "f")), Errc::stale);
  EXPECT_EQ(code_of(remove_directory(gone, "f")), Errc::stale);
  EXPECT_EQ(code_of(run(files.stat(gone))), Errc::stale);
  EXPECT_EQ(code_of(run(files.list(root, {gone, 0, 10, false}))), Errc::stale);
}

// Its maker is answered before the directory's own partition has heard the outcome.
TEST_F(FilesCreate, KnowsADirectoryThatWasJustMade) {
  const auto fresh = [&] {
    static int count = 0;
    for (;;) {
      const auto made = make_directory(bucket, fmt::format("fresh{}", ++count));
      EXPECT_TRUE(made.ok()) << made.error().text();
      if (!made.ok() || made->file.id.partition() != bucket.partition()) return made->file.id;
    }
  };
  const InodeId file = create(bucket, "f")->file.id;
  NewStat stat;
  stat.mode = 0700;
  EXPECT_EQ(code_of(lookup(fresh(), "x")), Errc::not_found);
  EXPECT_EQ(code_of(remove(fresh(), "x")), Errc::not_found);
  EXPECT_EQ(code_of(remove_directory(fresh(), "x")), Errc::not_found);
  EXPECT_EQ(code_of(rename(fresh(), "x", bucket, "y")), Errc::not_found);
  EXPECT_EQ(code_of(create(fresh(), "x")), Errc::ok);
  EXPECT_EQ(code_of(make_directory(fresh(), "x")), Errc::ok);
  EXPECT_EQ(code_of(link(file, fresh(), "x")), Errc::ok);
  EXPECT_EQ(code_of(rename(bucket, "f", fresh(), "x")), Errc::ok);
  EXPECT_EQ(code_of(set_stat(fresh(), stat)), Errc::ok);
  EXPECT_EQ(code_of(link(fresh(), bucket, "g")), Errc::not_permitted);
  EXPECT_EQ(code_of(run(files.list(root, {fresh(), 0, 10, false}))), Errc::ok);
  EXPECT_EQ(code_of(run(files.stat(fresh()))), Errc::ok);
  ASSERT_TRUE(make_directory(bucket, "d").ok());
  EXPECT_EQ(code_of(rename(bucket, "d", bucket, "e")), Errc::ok);
  EXPECT_EQ(code_of(remove_directory(bucket, "e")), Errc::ok);
}

TEST_F(FilesCreate, MakesDirectoriesWithTheirLinks) {
  const auto made = make_directory(bucket, "d", alice, 0750);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->file.type, FileType::directory);
  EXPECT_EQ(made->file.mode, 0750U);
  EXPECT_EQ(made->file.links, 2U);
  EXPECT_EQ(made->file.uid, 1000U);
  EXPECT_EQ(links(bucket), 3U);
  const auto inner = make_directory(made->file.id, "inner", alice);
  ASSERT_TRUE(inner.ok());
  EXPECT_EQ(links(made->file.id), 3U);
  EXPECT_EQ(lookup(inner->file.id, "..")->id, made->file.id);
  EXPECT_EQ(lookup(inner->file.id, ".")->id, inner->file.id);
  EXPECT_EQ(lookup(files.root(), "..")->id, files.root());
  EXPECT_EQ(code_of(remove_directory(bucket, "d")), Errc::not_empty);
  EXPECT_EQ(code_of(remove(bucket, "d")), Errc::is_directory);
  EXPECT_TRUE(remove_directory(made->file.id, "inner").ok());
  const auto removed = remove_directory(bucket, "d");
  ASSERT_TRUE(removed.ok());
  ASSERT_TRUE(removed->before && removed->after);
  EXPECT_LT(removed->before->changed_ns, removed->after->changed_ns);
  EXPECT_EQ(links(bucket), 2U);
  EXPECT_EQ(code_of(run(files.stat(made->file.id))), Errc::stale);
  ASSERT_TRUE(create(bucket, "f").ok());
  EXPECT_EQ(code_of(remove_directory(bucket, "f")), Errc::not_directory);
  EXPECT_EQ(code_of(remove_directory(bucket, "none")), Errc::not_found);
  EXPECT_EQ(code_of(remove(bucket, "none")), Errc::not_found);
}

TEST_F(FilesCreate, MakesSymbolicLinks) {
  const auto made = make_symlink(bucket, "s", "../some/where");
  ASSERT_TRUE(made.ok()) << made.error().text();
  EXPECT_EQ(made->file.type, FileType::symlink);
  EXPECT_EQ(made->file.size, 13U);
  EXPECT_EQ(*run(files.read_link(made->file.id)), "../some/where");
  EXPECT_EQ(code_of(run(files.read_link(bucket))), Errc::invalid);
  EXPECT_EQ(read(made->file.id), "!invalid");
  EXPECT_EQ(code_of(write(made->file.id, 0, "x")), Errc::invalid);
  EXPECT_EQ(code_of(truncate(made->file.id, 0)), Errc::invalid);
  EXPECT_EQ(code_of(make_symlink(bucket, "long", std::string(4097, 'x'))), Errc::name_too_long);
  EXPECT_TRUE(make_symlink(bucket, "full", std::string(4096, 'x')).ok());
  EXPECT_EQ(get("s"), "!not found") << "it is no object";
  EXPECT_TRUE(keys().empty());
  EXPECT_TRUE(remove(bucket, "s").ok());
  EXPECT_EQ(code_of(run(files.read_link(made->file.id))), Errc::stale);
}

TEST_F(FilesCreate, MakesSpecialFiles) {
  for (const FileType type :
       {FileType::block, FileType::character, FileType::socket, FileType::fifo}) {
    NewFileRequest request = request_of(bucket, fmt::format("s{}", static_cast<int>(type)));
    request.type = type;
    request.device_major = 8;
    request.device_minor = 3;
    const auto made = run(files.make_special(call(), root, request));
    ASSERT_TRUE(made.ok()) << made.error().text();
    EXPECT_EQ(made->file.type, type);
    EXPECT_EQ(made->file.device_major, 8U);
    EXPECT_EQ(made->file.device_minor, 3U);
    EXPECT_EQ(read(made->file.id), "!invalid");
    EXPECT_EQ(run(files.stat(made->file.id))->type, type);
    EXPECT_EQ(get(request.name), "!not found");
    EXPECT_TRUE(remove(bucket, request.name).ok());
  }
}

TEST_F(FilesCreate, KeepsTheRootForBuckets) {
  EXPECT_EQ(code_of(create(files.root(), "file")), Errc::denied);
  EXPECT_EQ(code_of(make_symlink(files.root(), "link", "x")), Errc::denied);
  for (const char* name : {"Upper", "ab", "with space", "-dash", "a..b"}) {
    EXPECT_EQ(code_of(make_directory(files.root(), name)), Errc::denied) << name;
  }
  const auto made = make_directory(files.root(), "second");
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(run(objects.bucket(objects.begin(7), "second")).ok());
  const InodeId file = create(bucket, "f")->file.id;
  EXPECT_EQ(code_of(link(file, files.root(), "linked")), Errc::denied);
  EXPECT_EQ(code_of(rename(bucket, "f", files.root(), "renamed")), Errc::denied);
  ASSERT_TRUE(make_directory(bucket, "dir").ok());
  EXPECT_EQ(code_of(rename(bucket, "dir", files.root(), "renamed")), Errc::denied);
  EXPECT_EQ(code_of(rename(files.root(), "second", bucket, "dir2")), Errc::denied);
  EXPECT_EQ(code_of(rename(files.root(), "second", files.root(), "NoBucket")), Errc::denied);
  ASSERT_TRUE(rename(files.root(), "second", files.root(), "third").ok());
  EXPECT_EQ(code_of(run(objects.bucket(objects.begin(7), "second"))), Errc::not_found);
  EXPECT_EQ(run(objects.bucket(objects.begin(7), "third"))->inode, made->file.id);
  EXPECT_EQ(code_of(remove_directory(files.root(), "bucket")), Errc::not_empty);
  EXPECT_TRUE(remove_directory(files.root(), "third").ok());
  EXPECT_EQ(code_of(run(objects.bucket(objects.begin(7), "third"))), Errc::not_found);
  EXPECT_EQ(code_of(truncate(files.root(), 0)), Errc::denied);
  ASSERT_TRUE(run(objects.create_bucket(objects.begin(7), "made-by-s3")).ok());
  EXPECT_EQ(lookup(files.root(), "made-by-s3")->type, FileType::directory);
}

}  // namespace
}  // namespace turbine::fs
