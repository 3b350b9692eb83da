// Files over an array: names move, and get company.
#include <gtest/gtest.h>

#include "support/files_fixture.hpp"

namespace turbine::fs {
namespace {

using test::code_of;

struct FilesRename : test::FilesFixture {
  InodeId here = make_directory(bucket, "here", root, 0777)->file.id;
  InodeId beside = directory_in(bucket, here.partition());  // of the same partition
  InodeId elsewhere = directory_elsewhere(bucket, here.partition());

  /// A file with these bytes.
  InodeId file(InodeId directory, const std::string& name, const std::string& bytes) {
    const auto made = create(directory, name);
    EXPECT_TRUE(made.ok()) << made.error().text();
    if (!made.ok()) return {};
    EXPECT_TRUE(write(made->file.id, 0, bytes).ok());
    return made->file.id;
  }
};

TEST_F(FilesRename, MovesAFileAnywhere) {
  InodeId from = here;
  std::string name = "f";
  const InodeId id = file(here, "f", "bytes");
  const auto before = run(files.stat(id));
  for (const InodeId to : {here, beside, elsewhere, here, beside}) {
    const std::string next = name + "x";
    const auto renamed = rename(from, name, to, next);
    ASSERT_TRUE(renamed.ok()) << renamed.error().text();
    ASSERT_TRUE(renamed->to.after);
    EXPECT_EQ(renamed->to.after->id, to);
    EXPECT_EQ(code_of(lookup(from, name)), Errc::not_found);
    ASSERT_TRUE(lookup(to, next).ok());
    EXPECT_EQ(lookup(to, next)->id, id);
    const auto stat = run(files.stat(id));
    EXPECT_EQ(stat->links, 1U);
    EXPECT_EQ(stat->modified_ns, before->modified_ns);
    EXPECT_GT(stat->changed_ns, before->changed_ns);
    EXPECT_EQ(read(id), "bytes");
    from = to;
    name = next;
  }
  EXPECT_TRUE(write(id, 5, " more").ok());
  EXPECT_EQ(read(id), "bytes more");
  EXPECT_TRUE(remove(from, name).ok());
  EXPECT_EQ(code_of(run(files.stat(id))), Errc::stale);
}

TEST_F(FilesRename, ReplacesAFileAnywhere) {
  for (const InodeId to : {here, beside, elsewhere}) {
    const InodeId moved = file(here, "f", "new");
    const InodeId replaced = file(to, "g", "old");
    ASSERT_TRUE(rename(here, "f", to, "g").ok());
    EXPECT_EQ(lookup(to, "g")->id, moved);
    EXPECT_EQ(read(moved), "new");
    EXPECT_EQ(code_of(run(files.stat(replaced))), Errc::stale);
    EXPECT_EQ(code_of(lookup(here, "f")), Errc::not_found);
    ASSERT_TRUE(remove(to, "g").ok());
  }
}

TEST_F(FilesRename, ReplacesOneNameOfAFileWithTwo) {
  for (const InodeId to : {here, beside, elsewhere}) {
    const InodeId moved = file(here, "f", "new");
    const InodeId kept = file(to, "g", "old");
    ASSERT_TRUE(link(kept, elsewhere, "kept").ok());
    ASSERT_TRUE(rename(here, "f", to, "g").ok());
    EXPECT_EQ(lookup(to, "g")->id, moved);
    EXPECT_EQ(links(kept), 1U);
    EXPECT_EQ(read(kept), "old");
    ASSERT_TRUE(remove(to, "g").ok());
    ASSERT_TRUE(remove(elsewhere, "kept").ok());
    EXPECT_EQ(code_of(run(files.stat(kept))), Errc::stale);
    EXPECT_EQ(code_of(run(files.stat(moved))), Errc::stale);
  }
}

TEST_F(FilesRename, DoesNothingBetweenTwoNamesOfOneFile) {
  const InodeId id = file(here, "f", "bytes");
  for (const InodeId to : {here, beside, elsewhere}) {
    ASSERT_TRUE(link(id, to, "g").ok());
    const auto before = run(files.stat(id));
    ASSERT_TRUE(rename(here, "f", to, "g").ok());
    ASSERT_TRUE(rename(to, "g", here, "f").ok());
    EXPECT_EQ(lookup(here, "f")->id, id);
    EXPECT_EQ(lookup(to, "g")->id, id);
    EXPECT_EQ(run(files.stat(id))->links, before->links);
    ASSERT_TRUE(remove(to, "g").ok());
  }
  ASSERT_TRUE(rename(here, "f", here, "f").ok());
  ASSERT_TRUE(make_directory(here, "d").ok());
  ASSERT_TRUE(rename(here, "d", here, "d").ok());
  EXPECT_EQ(links(id), 1U);
}

TEST_F(FilesRename, MovesADirectoryWithWhatIsInIt) {
  const InodeId moved = make_directory(here, "d")->file.id;
  const InodeId id = file(moved, "f", "bytes");
  InodeId from = here;
  std::string name = "d";
  for (const InodeId to : {here, beside, elsewhere, here}) {
    const std::string next = name + "x";
    const uint32_t before = links(to), left = links(from);
    ASSERT_TRUE(rename(from, name, to, next).ok());
    EXPECT_EQ(lookup(to, next)->id, moved);
    EXPECT_EQ(lookup(moved, "..")->id, to);
    EXPECT_EQ(lookup(moved, "f")->id, id);
    if (from != to) {
      EXPECT_EQ(links(to), before + 1);
      EXPECT_EQ(links(from), left - 1);
    }
    EXPECT_EQ(code_of(lookup(from, name)), Errc::not_found);
    from = to;
    name = next;
  }
  EXPECT_EQ(get("here/dxxxx/f"), "bytes");
}

TEST_F(FilesRename, ReplacesAnEmptyDirectoryOnly) {
  for (const InodeId to : {here, beside, elsewhere}) {
    const InodeId moved = make_directory(here, "d")->file.id;
    ASSERT_TRUE(create(moved, "inside").ok());
    const InodeId target = make_directory(to, "t")->file.id;
    ASSERT_TRUE(create(target, "hindrance").ok());
    EXPECT_EQ(code_of(rename(here, "d", to, "t")), Errc::not_empty);
    ASSERT_TRUE(remove(target, "hindrance").ok());
    const uint32_t before = links(to);
    ASSERT_TRUE(rename(here, "d", to, "t").ok());
    EXPECT_EQ(links(to), to == here ? before - 1 : before);
    EXPECT_EQ(lookup(to, "t")->id, moved);
    EXPECT_TRUE(lookup(moved, "inside").ok());
    EXPECT_EQ(code_of(run(files.stat(target))), Errc::stale);
    ASSERT_TRUE(remove(moved, "inside").ok());
    ASSERT_TRUE(remove_directory(to, "t").ok());
  }
}

TEST_F(FilesRename, RefusesToMixFilesAndDirectories) {
  for (const InodeId to : {here, beside, elsewhere}) {
    ASSERT_TRUE(create(here, "f").ok());
    ASSERT_TRUE(make_directory(here, "d").ok());
    ASSERT_TRUE(create(to, "g").ok());
    ASSERT_TRUE(make_directory(to, "e").ok());
    EXPECT_EQ(code_of(rename(here, "f", to, "e")), Errc::is_directory);
    EXPECT_EQ(code_of(rename(here, "d", to, "g")), Errc::not_directory);
    for (const char* name : {"f", "d"}) EXPECT_TRUE(lookup(here, name).ok());
    ASSERT_TRUE(remove(here, "f").ok());
    ASSERT_TRUE(remove_directory(here, "d").ok());
    ASSERT_TRUE(remove(to, "g").ok());
    ASSERT_TRUE(remove_directory(to, "e").ok());
  }
  EXPECT_EQ(code_of(rename(here, "none", elsewhere, "x")), Errc::not_found);
  EXPECT_EQ(code_of(rename(here, "none", here, "x")), Errc::not_found);
}

TEST_F(FilesRename, RefusesToMoveADirectoryIntoItself) {
  const InodeId outer = make_directory(here, "outer")->file.id;
  const InodeId middle = make_directory(outer, "middle")->file.id;
  const InodeId inner = make_directory(middle, "inner")->file.id;
  EXPECT_EQ(code_of(rename(here, "outer", outer, "x")), Errc::invalid);
  EXPECT_EQ(code_of(rename(here, "outer", inner, "x")), Errc::invalid);
  EXPECT_EQ(code_of(rename(outer, "middle", inner, "x")), Errc::invalid);
  EXPECT_EQ(code_of(rename(middle, "inner", here, "outer")), Errc::not_empty);
  EXPECT_EQ(code_of(rename(middle, "inner", outer, "middle")), Errc::not_empty);
  EXPECT_TRUE(rename(middle, "inner", here, "x").ok());
  EXPECT_TRUE(rename(here, "outer", inner, "y").ok());
  EXPECT_EQ(lookup(outer, "..")->id, inner);
}

TEST_F(FilesRename, MakesNoLoopOfTwoMovesAtOnce) {
  const InodeId a = make_directory(here, "a")->file.id;
  const InodeId b = make_directory(elsewhere, "b")->file.id;
  std::vector<Task<Files::Renamed>> both;
  both.push_back(files.rename(call(), root, here, "a", b, "a"));
  both.push_back(files.rename(call(), root, elsewhere, "b", a, "b"));
  struct Helper {
    static Task<std::vector<Errc>> all(std::vector<Task<Files::Renamed>> tasks) {
      std::vector<Errc> codes;
      for (const auto& result : co_await when_all(std::move(tasks))) {
        codes.push_back(code_of(result));
      }
      co_return codes;
    }
  };
  const auto codes = run(Helper::all(std::move(both)));
  ASSERT_TRUE(codes.ok());
  EXPECT_EQ(std::ranges::count(*codes, Errc::ok), 1);
  EXPECT_EQ(std::ranges::count(*codes, Errc::invalid), 1);
}

TEST_F(FilesRename, LeavesDirectoriesOfObjectsAsTheyAre) {
  ASSERT_TRUE(put("implicit/one").ok());
  const InodeId implicit = lookup(bucket, "implicit")->id;
  ASSERT_TRUE(rename(implicit, "one", implicit, "two").ok());
  EXPECT_EQ(get("implicit/two"), "x");
  EXPECT_EQ(get("implicit/"), "!not found") << "a name changed within it: it is still implicit";
  ASSERT_TRUE(put("outer/inner/one").ok());
  const InodeId outer = lookup(bucket, "outer")->id;
  ASSERT_TRUE(rename(outer, "inner", outer, "renamed").ok());
  EXPECT_EQ(get("outer/renamed/one"), "x");
  EXPECT_EQ(get("outer/"), "!not found") << "a name changed within it: it is still implicit";
  ASSERT_TRUE(rename(implicit, "two", here, "three").ok());
  EXPECT_EQ(get("here/three"), "x");
  EXPECT_EQ(get("implicit/"), "") << "its last entry left by rename: the directory stays";
  EXPECT_EQ(names(implicit), std::vector<std::string>{});
  ASSERT_TRUE(rename(here, "three", implicit, "back").ok());
  ASSERT_TRUE(run(objects.remove(objects.begin(7), "bucket", "implicit/back", {})).ok());
  EXPECT_EQ(get("implicit/"), "") << "explicit since";
}

TEST_F(FilesRename, MovesDirectoriesOfObjects) {
  ASSERT_TRUE(put("from/sub/f", "bytes").ok());
  const InodeId from = lookup(bucket, "from")->id;
  EXPECT_EQ(get("from/sub/f"), "bytes");
  ASSERT_TRUE(rename(from, "sub", elsewhere, "moved").ok());
  EXPECT_EQ(get("from/sub/f"), "!not found");
  const InodeId moved = lookup(elsewhere, "moved")->id;
  ASSERT_TRUE(lookup(moved, "f").ok());
  const std::string there = fmt::format("elsewhere-{}-0/moved/f", here.partition());
  if (elsewhere == lookup(bucket, fmt::format("elsewhere-{}-0", here.partition()))->id) {
    EXPECT_EQ(get(there), "bytes");
  }
  EXPECT_EQ(get("from/"), "");
  ASSERT_TRUE(put("from/sub/f", "other").ok()) << "the old name is free";
  EXPECT_EQ(read(lookup(moved, "f")->id), "bytes");
}

struct FilesLink : FilesRename {};

TEST_F(FilesLink, GivesAFileMoreNames) {
  const InodeId id = file(here, "f", "bytes");
  uint32_t count = 1;
  for (const InodeId to : {here, beside, elsewhere}) {
    const auto linked = link(id, to, "g");
    ASSERT_TRUE(linked.ok()) << linked.error().text();
    EXPECT_EQ(linked->file.links, ++count);
    EXPECT_EQ(linked->file.id, id);
    ASSERT_TRUE(linked->directory.after && linked->directory.before);
    EXPECT_EQ(linked->directory.after->id, to);
    EXPECT_EQ(lookup(to, "g")->id, id);
    EXPECT_EQ(lookup(here, "f")->links, count);
    EXPECT_EQ(lookup(to, "g")->links, count);
    EXPECT_EQ(code_of(link(id, to, "g")), Errc::exists);
  }
  EXPECT_EQ(get("here/f"), "bytes");
  EXPECT_EQ(get("here/g"), "bytes");
  ASSERT_TRUE(write(id, 0, "BYTES").ok());
  EXPECT_EQ(get("here/g"), "BYTES");
  for (const InodeId from : {here, beside, elsewhere}) {
    ASSERT_TRUE(remove(from, "g").ok());
    EXPECT_EQ(links(id), --count);
    EXPECT_EQ(read(id), "BYTES");
  }
  ASSERT_TRUE(remove(here, "f").ok());
  EXPECT_EQ(code_of(run(files.stat(id))), Errc::stale);
}

TEST_F(FilesLink, KeepsAFileWhoseFirstNameGoes) {
  const InodeId id = file(here, "f", std::string(200'000, 'b'));
  ASSERT_TRUE(link(id, elsewhere, "g").ok());
  ASSERT_TRUE(remove(here, "f").ok());
  EXPECT_EQ(read(id), std::string(200'000, 'b'));
  EXPECT_EQ(links(id), 1U);
  ASSERT_TRUE(rename(elsewhere, "g", beside, "h").ok());
  ASSERT_TRUE(rename(beside, "h", here, "i").ok());
  EXPECT_EQ(get("here/i"), std::string(200'000, 'b'));
  ASSERT_TRUE(remove(here, "i").ok());
  EXPECT_EQ(code_of(run(files.stat(id))), Errc::stale);
  array.clock.advance(std::chrono::seconds(60));
  for (const auto& blade : array.blades) EXPECT_TRUE(blade->shards.shards.empty());
}

TEST_F(FilesLink, RefusesDirectoriesAndWhatIsGone) {
  const InodeId inner = make_directory(here, "d")->file.id;
  EXPECT_EQ(code_of(link(inner, here, "e")), Errc::not_permitted);
  const InodeId id = file(here, "f", "");
  ASSERT_TRUE(remove(here, "f").ok());
  EXPECT_EQ(code_of(link(id, here, "g")), Errc::stale);
  EXPECT_EQ(code_of(link(id, elsewhere, "g")), Errc::stale);
  EXPECT_EQ(code_of(lookup(here, "g")), Errc::not_found);
}

TEST_F(FilesLink, LinksWhatIsNoRegularFileToo) {
  const InodeId id = make_symlink(here, "s", "target")->file.id;
  ASSERT_TRUE(link(id, elsewhere, "t").ok());
  ASSERT_TRUE(remove(here, "s").ok());
  EXPECT_EQ(*run(files.read_link(id)), "target");
  EXPECT_EQ(lookup(elsewhere, "t")->type, FileType::symlink);
  ASSERT_TRUE(put(fmt::format("elsewhere-{}-0/t", here.partition()), "object").ok());
}

TEST_F(FilesLink, IsReplacedUnderAllNamesByAPut) {
  const InodeId id = file(here, "f", "old");
  ASSERT_TRUE(link(id, bucket, "g").ok());
  const auto info = put("g", "new content");
  ASSERT_TRUE(info.ok()) << info.error().text();
  EXPECT_EQ(info->inode, id);
  EXPECT_EQ(links(id), 2U);
  EXPECT_EQ(get("here/f"), "new content");
  const std::string large(300'000, 'l');
  ASSERT_TRUE(put("here/f", large).ok());
  EXPECT_EQ(get("g"), large);
  EXPECT_EQ(read(id, 299'990), std::string(10, 'l'));
  ASSERT_TRUE(run(objects.remove(objects.begin(7), "bucket", "g", {})).ok());
  EXPECT_EQ(links(id), 1U);
  EXPECT_EQ(get("here/f"), large);
}

}  // namespace
}  // namespace turbine::fs
