// FilesFixture: fs::Files over an array in one process, with what most tests of files do.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/files.hpp"
#include "support/small_array.hpp"

namespace turbine::test {

struct FilesFixture : testing::Test {
  SmallArray array{6, 16};
  fs::FileSystem& objects;
  fs::Files& files;
  const fs::Credentials root{};
  const fs::Credentials alice{.uid = 1000, .gid = 100, .groups = {200}};
  const fs::Credentials bob{.uid = 1001, .gid = 101, .groups = {}};
  InodeId bucket;  // "bucket", where all may write

  FilesFixture();

  template <class T>
  Result<T> run(Task<T> task) {
    return array.clock.run(std::move(task));
  }
  fs::CallContext call();

  static fs::NewFileRequest request_of(InodeId directory, std::string name, uint32_t mode = 0644);
  Result<fs::MadeFile> create(InodeId directory, std::string name, fs::Credentials who = {},
                              uint32_t mode = 0644);
  Result<fs::MadeFile> make_directory(InodeId directory, std::string name, fs::Credentials who = {},
                                      uint32_t mode = 0755);
  Result<fs::MadeFile> make_symlink(InodeId directory, std::string name, std::string target);
  Result<fs::FileChange> remove(InodeId directory, std::string name, fs::Credentials who = {});
  Result<fs::FileChange> remove_directory(InodeId directory, std::string name,
                                          fs::Credentials who = {});
  Result<fs::Files::Renamed> rename(InodeId from, std::string from_name, InodeId to,
                                    std::string to_name, fs::Credentials who = {});
  Result<fs::Files::Linked> link(InodeId file, InodeId directory, std::string name,
                                 fs::Credentials who = {});
  Result<fs::FileChange> write(InodeId file, uint64_t offset, std::string_view bytes,
                               fs::Credentials who = {});
  Result<fs::FileChange> set_stat(InodeId file, fs::NewStat stat, fs::Credentials who = {});
  Result<fs::FileChange> truncate(InodeId file, uint64_t size);
  Result<fs::FileStat> lookup(InodeId directory, std::string name, fs::Credentials who = {});
  /// As text; an error as `!name_of_it`.
  std::string read(InodeId file, uint64_t offset = 0, uint32_t count = 1 << 20,
                   fs::Credentials who = {});
  /// All names, in pages of `count`; no cookie comes twice.
  std::vector<std::string> names(InodeId directory, size_t count = 1000);
  uint32_t links(InodeId file);

  /// A directory of another partition than `than`.
  InodeId directory_elsewhere(InodeId parent, PartitionId than);
  /// A directory of that very partition.
  InodeId directory_in(InodeId parent, PartitionId partition);

  // The same namespace through the other door.
  static Task<fs::ObjectInfo> put_object(fs::FileSystem& to, std::string in, std::string key,
                                         std::string bytes, fs::Conditions conditions = {});
  static Task<std::string> get_object(fs::FileSystem& from, std::string in, std::string key);
  Result<fs::ObjectInfo> put(std::string key, std::string bytes = "x");
  std::string get(std::string key);
  std::vector<std::string> keys();
};

/// For EXPECT_EQ(code_of(result), Errc::…), which shows both.
template <class T>
Errc code_of(const Result<T>& result) {
  return result.ok() ? Errc::ok : result.error().code;
}

}  // namespace turbine::test

namespace turbine {

inline void PrintTo(Errc code, std::ostream* out) {
  *out << errc_name(code);
}

}  // namespace turbine
