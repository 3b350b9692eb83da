// Files over an array: directories are listed by cookies.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/files_fixture.hpp"

namespace turbine::fs {
namespace {

using test::code_of;
struct FilesList : test::FilesFixture {};

TEST_F(FilesList, GivesEachNameOnceInPagesOfAnySize) {
  std::set<std::string> expected;
  for (int i = 0; i < 60; ++i) {
    const std::string name = fmt::format("n{}", i * 7919 % 1000);
    ASSERT_TRUE(i % 3 == 0 ? make_directory(bucket, name).ok() : create(bucket, name).ok());
    expected.insert(name);
  }
  for (const size_t count : {1UL, 7UL, 60UL, 1000UL}) {
    const auto listed = names(bucket, count);
    EXPECT_EQ(listed.size(), expected.size());
    EXPECT_EQ(std::set(listed.begin(), listed.end()), expected) << count;
  }
}

TEST_F(FilesList, GivesAttributesOnRequest) {
  const InodeId file = create(bucket, "f")->file.id;
  ASSERT_TRUE(write(file, 0, "bytes").ok());
  ASSERT_TRUE(make_symlink(bucket, "s", "to").ok());
  const InodeId directory = make_directory(bucket, "d")->file.id;
  const auto page = run(files.list(root, {bucket, 0, 10, true}));
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->entries.size(), 3U);
  EXPECT_TRUE(page->end);
  EXPECT_EQ(page->directory.id, bucket);
  EXPECT_EQ(page->parent, files.root());
  for (const auto& entry : page->entries) {
    if (entry.name == "d") {
      EXPECT_EQ(entry.id, directory);
    } else {
      ASSERT_TRUE(entry.file);
      EXPECT_EQ(entry.file->id, entry.id);
      EXPECT_EQ(entry.file->type, entry.name == "f" ? FileType::regular : FileType::symlink);
      EXPECT_EQ(entry.file->size, entry.name == "f" ? 5U : 2U);
    }
    EXPECT_EQ(lookup(bucket, entry.name)->id, entry.id);
  }
  EXPECT_EQ(run(files.list(root, {files.root(), 0, 10, true}))->parent, files.root());
  EXPECT_EQ(run(files.list(root, {directory, 0, 10, true}))->parent, bucket);
}

TEST_F(FilesList, GoesOnBehindANameThatIsGone) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(create(bucket, fmt::format("n{}", i)).ok());
  auto page = run(files.list(root, {bucket, 0, 5, false}));
  const uint64_t after = page->entries.back().cookie;
  ASSERT_EQ(page->entries.back().name, "n4");
  ASSERT_TRUE(remove(bucket, "n4").ok());
  ASSERT_TRUE(remove(bucket, "n5").ok());
  ASSERT_TRUE(rename(bucket, "n6", bucket, "m").ok());
  page = run(files.list(root, {bucket, after, 100, false}));
  ASSERT_TRUE(page.ok()) << page.error().text();
  ASSERT_EQ(page->entries.size(), 3U);
  EXPECT_EQ(page->entries.front().name, "n7");
  ASSERT_TRUE(create(bucket, "n4").ok());
  page = run(files.list(root, {bucket, after, 100, false}));
  EXPECT_EQ(page->entries.front().name, "n7") << "the name is here again, behind its old cookie";
  const auto all = run(files.list(root, {bucket, 0, 100, false}));
  for (const auto& entry : all->entries) EXPECT_NE(entry.cookie, after) << "a cookie given twice";
  EXPECT_EQ(code_of(run(files.list(root, {bucket, 1'000'000, 100, false}))), Errc::invalid);
}

TEST_F(FilesList, EndsBehindTheLast) {
  const auto empty = run(files.list(root, {bucket, 0, 100, false}));
  EXPECT_TRUE(empty->end);
  ASSERT_TRUE(create(bucket, "f").ok());
  const auto page = run(files.list(root, {bucket, 0, 1, false}));
  EXPECT_TRUE(page->end);
  const auto behind = run(files.list(root, {bucket, page->entries[0].cookie, 1, false}));
  EXPECT_TRUE(behind->end);
  EXPECT_TRUE(behind->entries.empty());
}

/// Makes, renames and removes other names while somebody lists.
Task<> disturb(FileSystem& objects, Files& files, InodeId directory, const bool* over) {
  Rng rng(5);
  std::set<std::string> mine;
  while (!*over) {
    NewFileRequest request;
    request.directory = directory;
    request.name = fmt::format("{:05}-disturber", rng.below(10'000));
    if (mine.insert(request.name).second) {
      auto made = co_await files.create(objects.begin(7), {}, request);
      if (!made.ok()) co_return fail(std::move(made).error());
    } else if (rng.chance(1, 2)) {
      mine.erase(request.name);
      CO_TRY(co_await files.remove(objects.begin(7), {}, directory, request.name));
    } else {
      mine.erase(request.name);
      const std::string to = fmt::format("{:05}-disturber", rng.below(10'000));
      CO_TRY(co_await files.rename(objects.begin(7), {}, directory, request.name, directory, to));
      mine.insert(to);
    }
  }
  co_return Result<>{};
}

Task<std::vector<std::string>> list_all(Files& files, InodeId directory) {
  std::vector<std::string> all;
  DirectoryPageRequest request{directory, 0, 100, false};
  for (;;) {
    auto page = CO_TRY(co_await files.list({}, request));
    for (const auto& entry : page.entries) all.push_back(entry.name);
    if (page.end) co_return all;
    request.after = page.entries.back().cookie;
  }
}

Task<> make_many(FileSystem& objects, Files& files, InodeId directory, int count) {
  for (int i = 0; i < count; i += 100) {
    std::vector<Task<MadeFile>> some;
    for (int j = i; j < i + 100; ++j) {
      NewFileRequest request;
      request.directory = directory;
      request.name = fmt::format("{:05}", j);
      some.push_back(files.create(objects.begin(7), {}, std::move(request)));
    }
    for (auto& made : co_await when_all(std::move(some))) {
      if (!made.ok()) co_return fail(std::move(made).error());
    }
  }
  co_return Result<>{};
}

TEST_F(FilesList, ListsTenThousandOnceWhileOthersMakeAndRemove) {
  constexpr int kCount = 10'000;
  const auto made = run(make_many(objects, files, bucket, kCount));
  ASSERT_TRUE(made.ok()) << made.error().text();
  bool over = false;
  std::optional<Result<>> disturbed;
  asio::co_spawn(array.clock.executor(), disturb(objects, files, bucket, &over),
                 [&](std::exception_ptr, Result<> result) { disturbed = std::move(result); });
  for (int round = 0; round < 3; ++round) {
    auto listed = run(list_all(files, bucket));
    ASSERT_TRUE(listed.ok()) << listed.error().text();
    std::erase_if(*listed, [](const std::string& name) { return name.size() > 5; });
    EXPECT_EQ(listed->size(), static_cast<size_t>(kCount));
    std::ranges::sort(*listed);
    EXPECT_EQ(std::ranges::adjacent_find(*listed), listed->end());
  }
  over = true;
  array.clock.run_until([&] { return disturbed.has_value(); });
  ASSERT_TRUE(disturbed->ok()) << disturbed->error().text();
}

}  // namespace
}  // namespace turbine::fs
