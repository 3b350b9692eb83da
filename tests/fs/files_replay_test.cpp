// Files over an array: a mutation that comes twice is executed once, and answered alike.
#include <gtest/gtest.h>

#include "fs/file_system.hpp"
#include "support/files_fixture.hpp"

namespace turbine::fs {
namespace {

using test::code_of;

struct FilesReplay : test::FilesFixture {
  InodeId elsewhere = directory_elsewhere(bucket, bucket.partition());
  std::unique_ptr<rpc::Transport> other_transport = array.network.attach("gateway-2");
  std::unique_ptr<ArrayFileSystem> other = make_file_system(
      array.clock, Rng(98), *other_transport, array.map, SessionId(1001), FileSystemOptions{});

  FilesReplay() { EXPECT_TRUE(run(other->start()).ok()); }
  ~FilesReplay() override {
    EXPECT_TRUE(run(other->stop()).ok());
    array.clock.run_until_idle();
    other.reset();
    EXPECT_TRUE(run(other_transport->stop()).ok());
  }
  /// Both gateways in turn.
  std::vector<Files*> doors() { return {&files, &other->files()}; }
};

TEST_F(FilesReplay, MakesAFileOnce) {
  const CallContext first = call();
  NewFileRequest request = request_of(bucket, "f");
  request.mode = CreateMode::guarded;
  request.attributes.size = 10;
  const auto made = run(files.create(first, root, request));
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE(write(made->file.id, 0, std::string(100, 'x')).ok());
  for (Files* door : doors()) {
    const auto again = run(door->create(first, root, request));
    ASSERT_TRUE(again.ok()) << again.error().text();
    EXPECT_EQ(again->file.id, made->file.id);
    EXPECT_EQ(run(files.stat(made->file.id))->size, 100U);
  }
  ASSERT_TRUE(remove(bucket, "f").ok());
  for (Files* door : doors()) {
    (void)run(door->create(first, root, request));
    EXPECT_EQ(code_of(lookup(bucket, "f")), Errc::not_found);
  }
}

TEST_F(FilesReplay, RemembersARefusal) {
  ASSERT_TRUE(create(bucket, "f").ok());
  const CallContext first = call();
  NewFileRequest request = request_of(bucket, "f");
  request.mode = CreateMode::guarded;
  EXPECT_EQ(code_of(run(files.create(first, root, request))), Errc::exists);
  ASSERT_TRUE(remove(bucket, "f").ok());
  for (Files* door : doors()) {
    EXPECT_EQ(code_of(run(door->create(first, root, request))), Errc::exists);
  }
}

TEST_F(FilesReplay, MakesDirectoriesLinksAndDevicesOnce) {
  const CallContext directory = call(), symlink = call(), special = call();
  NewFileRequest request = request_of(bucket, "d");
  const auto made = run(files.make_directory(directory, root, request));
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE(remove_directory(bucket, "d").ok());
  request.target = "to";
  const auto linked = run(files.make_symlink(symlink, root, request));
  ASSERT_TRUE(linked.ok());
  ASSERT_TRUE(remove(bucket, "d").ok());
  const auto device = run(files.make_special(special, root, request));
  ASSERT_TRUE(device.ok());
  ASSERT_TRUE(remove(bucket, "d").ok());
  for (Files* door : doors()) {
    EXPECT_EQ(run(door->make_directory(directory, root, request))->file.id, made->file.id);
    EXPECT_EQ(run(door->make_symlink(symlink, root, request))->file.id, linked->file.id);
    EXPECT_EQ(run(door->make_special(special, root, request))->file.id, device->file.id);
    EXPECT_EQ(code_of(lookup(bucket, "d")), Errc::not_found);
  }
}

TEST_F(FilesReplay, RemovesOnce) {
  ASSERT_TRUE(create(bucket, "f").ok());
  ASSERT_TRUE(make_directory(bucket, "d").ok());
  const CallContext file = call(), directory = call();
  ASSERT_TRUE(run(files.remove(file, root, bucket, "f")).ok());
  ASSERT_TRUE(run(files.remove_directory(directory, root, bucket, "d")).ok());
  for (Files* door : doors()) {
    EXPECT_TRUE(run(door->remove(file, root, bucket, "f")).ok());
    EXPECT_TRUE(run(door->remove_directory(directory, root, bucket, "d")).ok());
  }
  ASSERT_TRUE(create(bucket, "f").ok());
  ASSERT_TRUE(make_directory(bucket, "d").ok());
  for (Files* door : doors()) {
    EXPECT_TRUE(run(door->remove(file, root, bucket, "f")).ok());
    EXPECT_TRUE(run(door->remove_directory(directory, root, bucket, "d")).ok());
    EXPECT_TRUE(lookup(bucket, "f").ok());
    EXPECT_TRUE(lookup(bucket, "d").ok());
  }
}

TEST_F(FilesReplay, RenamesOnce) {
  for (const InodeId to : {bucket, elsewhere}) {
    for (const bool is_directory : {false, true}) {
      const auto made = is_directory ? make_directory(bucket, "a") : create(bucket, "a");
      ASSERT_TRUE(made.ok());
      CallContext first = call();
      ASSERT_TRUE(run(files.rename(first, root, bucket, "a", to, "b")).ok());
      for (Files* door : doors()) {
        first.received = array.clock.now();
        EXPECT_TRUE(run(door->rename(first, root, bucket, "a", to, "b")).ok());
      }
      ASSERT_TRUE(rename(to, "b", bucket, "a").ok());
      for (Files* door : doors()) {
        first.received = array.clock.now();
        EXPECT_TRUE(run(door->rename(first, root, bucket, "a", to, "b")).ok());
        EXPECT_EQ(lookup(bucket, "a")->id, made->file.id);
      }
      ASSERT_TRUE(is_directory ? remove_directory(bucket, "a").ok() : remove(bucket, "a").ok());
    }
  }
}

TEST_F(FilesReplay, LinksOnce) {
  const InodeId file = create(bucket, "f")->file.id;
  for (const InodeId to : {bucket, elsewhere}) {
    const CallContext first = call();
    ASSERT_EQ(run(files.link(first, root, file, to, "g"))->file.links, 2U);
    ASSERT_TRUE(remove(to, "g").ok());
    for (Files* door : doors()) {
      const auto again = run(door->link(first, root, file, to, "g"));
      ASSERT_TRUE(again.ok()) << again.error().text();
      EXPECT_EQ(again->file.links, 1U) << "the attributes are those of now";
      EXPECT_EQ(code_of(lookup(to, "g")), Errc::not_found);
      EXPECT_EQ(links(file), 1U);
    }
  }
}

TEST_F(FilesReplay, WritesOnce) {
  const InodeId file = create(bucket, "f")->file.id;
  for (const size_t size : {100, 300'000}) {
    const CallContext first = call(), cut = call();
    const Buffer bytes = Buffer::copy_of(std::string(size, 'a'));
    ASSERT_TRUE(run(files.write(first, root, file, 0, {bytes})).ok());
    ASSERT_TRUE(write(file, 1, "b").ok());
    NewStat stat;
    stat.size = 2;
    ASSERT_TRUE(run(files.set_stat(cut, root, file, stat, {})).ok());
    ASSERT_TRUE(write(file, 2, "c").ok());
    for (Files* door : doors()) {
      ASSERT_TRUE(run(door->write(first, root, file, 0, {bytes})).ok());
      ASSERT_TRUE(run(door->set_stat(cut, root, file, stat, {})).ok());
      EXPECT_EQ(read(file), "abc");
    }
    ASSERT_TRUE(truncate(file, 0).ok());
  }
}

TEST_F(FilesReplay, ExecutesCopiesThatComeAtOnceOnce) {
  struct Helper {
    static Task<std::vector<uint64_t>> all(std::vector<Task<MadeFile>> tasks) {
      std::vector<uint64_t> ids;
      for (const auto& made : co_await when_all(std::move(tasks))) {
        if (!made.ok()) co_return fail(made.error());
        ids.push_back(made->file.id.value);
      }
      co_return ids;
    }
  };
  const CallContext first = call();
  NewFileRequest request = request_of(bucket, "f");
  request.mode = CreateMode::guarded;
  std::vector<Task<MadeFile>> copies;
  for (int i = 0; i < 3; ++i) {
    for (Files* door : doors()) copies.push_back(door->create(first, root, request));
  }
  const auto ids = run(Helper::all(std::move(copies)));
  ASSERT_TRUE(ids.ok()) << ids.error().text();
  EXPECT_EQ(std::set(ids->begin(), ids->end()).size(), 1U);
}

}  // namespace
}  // namespace turbine::fs
