// Files over an array: names that only objects can have are shown escaped, and lead to the file.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/files_fixture.hpp"

namespace turbine::fs {
namespace {

using test::code_of;

struct ShownNames : test::FilesFixture {
  using Names = std::vector<std::string>;
  Names sorted(InodeId directory) {
    Names all = names(directory);
    std::ranges::sort(all);
    return all;
  }
  InodeId id(InodeId directory, const std::string& name) {
    const auto found = lookup(directory, name);
    EXPECT_TRUE(found.ok()) << name << ": " << found.error().text();
    return found.ok() ? found->id : InodeId{};
  }
};

TEST_F(ShownNames, ShowAFileThatADirectoryHides) {
  ASSERT_TRUE(put("a", "file").ok());
  EXPECT_EQ(sorted(bucket), Names({"a"}));
  ASSERT_TRUE(put("a/b", "inner").ok());
  EXPECT_EQ(sorted(bucket), Names({".%fa", "a"}));
  EXPECT_EQ(lookup(bucket, "a")->type, FileType::directory);
  const InodeId hidden = id(bucket, ".%fa");
  EXPECT_EQ(read(hidden), "file");
  ASSERT_TRUE(write(hidden, 0, "FILE").ok());
  EXPECT_EQ(get("a"), "FILE");
  EXPECT_EQ(code_of(create(bucket, ".%fa")), Errc::invalid);
  EXPECT_EQ(code_of(create(bucket, "a")), Errc::exists);
  EXPECT_EQ(code_of(remove(bucket, "a")), Errc::is_directory);
  ASSERT_TRUE(rename(bucket, ".%fa", bucket, "c").ok());
  EXPECT_EQ(sorted(bucket), Names({"a", "c"}));
  EXPECT_EQ(get("c"), "FILE");
  EXPECT_EQ(get("a"), "!not found");
  ASSERT_TRUE(put("a", "again").ok());
  EXPECT_EQ(sorted(bucket), Names({".%fa", "a", "c"}));
  ASSERT_TRUE(remove(bucket, ".%fa").ok());
  EXPECT_EQ(sorted(bucket), Names({"a", "c"}));
  EXPECT_EQ(code_of(lookup(bucket, ".%fa")), Errc::not_found);
  EXPECT_EQ(code_of(remove(bucket, ".%fa")), Errc::not_found);
}

TEST_F(ShownNames, ShowTheFileAgainWhenItsDirectoryGoes) {
  ASSERT_TRUE(put("a", "file").ok());
  ASSERT_TRUE(put("a/b").ok());
  ASSERT_TRUE(run(objects.remove(objects.begin(7), "bucket", "a/b", {})).ok());
  EXPECT_EQ(sorted(bucket), Names({"a"}));
  EXPECT_EQ(lookup(bucket, "a")->type, FileType::regular);
  ASSERT_TRUE(put("a/b").ok());
  ASSERT_TRUE(rename(bucket, "a", bucket, "d").ok());
  EXPECT_EQ(sorted(bucket), Names({"a", "d"}));
  EXPECT_EQ(read(id(bucket, "a")), "file");
  EXPECT_EQ(code_of(rename(bucket, "d", bucket, "a")), Errc::not_directory);
}

TEST_F(ShownNames, ShowComponentsThatAreEmptyOrDots) {
  ASSERT_TRUE(put("d/", "own").ok());
  const InodeId directory = id(bucket, "d");
  EXPECT_EQ(sorted(directory), Names({".%e"}));
  EXPECT_EQ(read(id(directory, ".%e")), "own");
  ASSERT_TRUE(put("d//x", "deep").ok());
  EXPECT_EQ(sorted(directory), Names({".%e", ".%f"}));
  EXPECT_EQ(read(id(directory, ".%f")), "own");
  EXPECT_EQ(read(id(id(directory, ".%e"), "x")), "deep");
  ASSERT_TRUE(put("d/.", "one").ok());
  ASSERT_TRUE(put("d/..", "two").ok());
  ASSERT_TRUE(put("d/../y", "up").ok());
  EXPECT_EQ(sorted(directory), Names({".%1", ".%2", ".%e", ".%f", ".%f.."}));
  EXPECT_EQ(read(id(directory, ".%1")), "one");
  EXPECT_EQ(read(id(id(directory, ".%2"), "y")), "up");
  EXPECT_EQ(read(id(directory, ".%f..")), "two");
  EXPECT_EQ(lookup(id(directory, ".%2"), "..")->id, directory);
  ASSERT_TRUE(rename(directory, ".%1", bucket, "one").ok());
  EXPECT_EQ(get("one"), "one");
  ASSERT_TRUE(rename(directory, ".%2", bucket, "up").ok());
  EXPECT_EQ(get("up/y"), "up");
  ASSERT_TRUE(remove(directory, ".%f").ok());
  EXPECT_EQ(get("d/"), "!not found");
  ASSERT_TRUE(rename(bucket, "one", directory, ".%1").ok());
  EXPECT_EQ(get("d/."), "one");
}

TEST_F(ShownNames, ShowNamesThatLookShown) {
  for (const char* name : {".%e", ".%1", ".%fa", ".%cff", ".%n.%e"}) {
    ASSERT_TRUE(put(name, name).ok());
  }
  EXPECT_EQ(sorted(bucket), Names({".%n.%1", ".%n.%cff", ".%n.%e", ".%n.%fa", ".%n.%n.%e"}));
  for (const std::string& name : names(bucket)) EXPECT_EQ(read(id(bucket, name)), name.substr(3));
  ASSERT_TRUE(put(".%z", "plain").ok());
  EXPECT_EQ(read(id(bucket, ".%z")), "plain");
  EXPECT_EQ(code_of(create(bucket, ".%nplain")), Errc::invalid);
  ASSERT_TRUE(create(bucket, ".%n.%2").ok());
  EXPECT_EQ(get(".%2"), "");
}

TEST_F(ShownNames, ShowLongNamesByTheirCookies) {
  const std::string name(300, 'n'), other(301, 'n');
  ASSERT_TRUE(put(name, "file").ok());
  ASSERT_TRUE(put(other + "/f", "inner").ok());
  ASSERT_TRUE(put(other, "hidden").ok());
  const Names all = sorted(bucket);
  ASSERT_EQ(all.size(), 3U);
  std::set<std::string> contents;
  for (const std::string& shown : all) {
    EXPECT_EQ(shown.substr(0, 3), ".%c");
    const auto stat = lookup(bucket, shown);
    ASSERT_TRUE(stat.ok());
    const bool directory = stat->type == FileType::directory;
    contents.insert(directory ? "directory" : read(stat->id));
    const std::string to = directory ? "d" : read(stat->id);
    ASSERT_TRUE(rename(bucket, shown, bucket, to).ok());
    EXPECT_EQ(code_of(lookup(bucket, shown)), Errc::not_found);
    EXPECT_EQ(code_of(remove(bucket, shown)), Errc::not_found);
  }
  EXPECT_EQ(contents, (std::set<std::string>{"directory", "file", "hidden"}));
  EXPECT_EQ(keys(), Names({"d/f", "file", "hidden"}));
  ASSERT_TRUE(put(name, "again").ok());
  const std::string shown = sorted(bucket).front();
  EXPECT_EQ(code_of(create(bucket, shown)), Errc::invalid);
  ASSERT_TRUE(remove(bucket, shown).ok());
  EXPECT_EQ(keys(), Names({"d/f", "file", "hidden"}));
  ASSERT_TRUE(put(std::string(254, 'x'), "fits").ok());
  EXPECT_EQ(read(id(bucket, std::string(254, 'x'))), "fits");
  ASSERT_TRUE(put(std::string(254, 'x') + "/f").ok());
  EXPECT_EQ(lookup(bucket, std::string(254, 'x'))->type, FileType::directory);
  EXPECT_EQ(sorted(bucket).front().substr(0, 3), ".%c") << "too long with what hiding puts to it";
  EXPECT_EQ(read(id(bucket, sorted(bucket).front())), "fits");
}

// It would be an object whose key is empty.
TEST_F(ShownNames, LeaveABucketWithoutAFileOfTheEmptyName) {
  EXPECT_EQ(code_of(create(bucket, ".%e")), Errc::invalid);
  EXPECT_EQ(code_of(make_symlink(bucket, ".%e", "to")), Errc::invalid);
  const InodeId file = create(bucket, "f")->file.id;
  EXPECT_EQ(code_of(link(file, bucket, ".%e")), Errc::invalid);
  EXPECT_EQ(code_of(rename(bucket, "f", bucket, ".%e")), Errc::invalid);
  const InodeId elsewhere = directory_elsewhere(bucket, bucket.partition());
  ASSERT_TRUE(link(file, elsewhere, "g").ok());
  EXPECT_EQ(code_of(rename(elsewhere, "g", bucket, ".%e")), Errc::invalid);
  EXPECT_TRUE(make_directory(bucket, ".%e").ok());
  EXPECT_EQ(get("/"), "");
  EXPECT_TRUE(create(id(bucket, ".%e"), ".%e").ok());
  EXPECT_EQ(get("/"), "");
}

TEST_F(ShownNames, ShowDirectoriesAsObjectsOnlyWhenTheyAreExplicit) {
  ASSERT_TRUE(make_directory(bucket, "d").ok());
  EXPECT_EQ(keys(), Names({"d/"}));
  EXPECT_EQ(get("d/"), "");
  const InodeId directory = id(bucket, "d");
  ASSERT_TRUE(put("d/", "own").ok());
  EXPECT_EQ(keys(), Names({"d/"}));
  EXPECT_EQ(get("d/"), "own");
  EXPECT_EQ(id(bucket, "d"), directory);
  ASSERT_TRUE(run(objects.remove(objects.begin(7), "bucket", "d/", {})).ok());
  EXPECT_EQ(keys(), Names());
  EXPECT_EQ(code_of(lookup(bucket, "d")), Errc::not_found) << "implicit since the PUT";
}

// A client that removes all it lists must find nothing left, and be able to remove the bucket.
TEST_F(ShownNames, LetS3RemoveADirectoryAsTheObjectItIs) {
  const InodeId outer = make_directory(bucket, "outer")->file.id;
  ASSERT_TRUE(make_directory(outer, "inner").ok());
  ASSERT_TRUE(create(outer, "f").ok());
  for (const std::string& key : keys()) {
    const auto removed = run(objects.remove(objects.begin(7), "bucket", key, {}));
    ASSERT_TRUE(removed.ok()) << key;
    EXPECT_TRUE(*removed) << key;
  }
  EXPECT_EQ(keys(), Names());
  EXPECT_EQ(names(bucket), Names());
  EXPECT_TRUE(run(objects.delete_bucket(objects.begin(7), "bucket")).ok());
}

TEST_F(ShownNames, KeepADirectoryWhoseObjectS3RemovesWhileItHoldsOthers) {
  const InodeId directory = make_directory(bucket, "d")->file.id;
  ASSERT_TRUE(create(directory, "f").ok());
  const auto removed = run(objects.remove(objects.begin(7), "bucket", "d/", {}));
  ASSERT_TRUE(removed.ok());
  EXPECT_TRUE(*removed);
  EXPECT_EQ(get("d/"), "!not found");
  EXPECT_EQ(keys(), Names({"d/f"}));
  EXPECT_EQ(id(bucket, "d"), directory);
  EXPECT_TRUE(lookup(directory, "f").ok());
}

}  // namespace
}  // namespace turbine::fs
