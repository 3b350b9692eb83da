#include "support/files_fixture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "fs/file_system.hpp"

namespace turbine::test {

FilesFixture::FilesFixture() : objects(*array.files), files(array.files->files()) {
  const auto made = make_directory(files.root(), "bucket", root, 0777);
  EXPECT_TRUE(made.ok()) << made.error().text();
  if (made.ok()) bucket = made->file.id;
}

fs::CallContext FilesFixture::call() {
  return objects.begin(7);
}

fs::NewFileRequest FilesFixture::request_of(InodeId directory, std::string name, uint32_t mode) {
  fs::NewFileRequest request;
  request.directory = directory;
  request.name = std::move(name);
  request.attributes.mode = mode;
  return request;
}

Result<fs::MadeFile> FilesFixture::create(InodeId directory, std::string name, fs::Credentials who,
                                          uint32_t mode) {
  fs::NewFileRequest request = request_of(directory, std::move(name), mode);
  request.mode = fs::CreateMode::guarded;
  return run(files.create(call(), std::move(who), std::move(request)));
}

Result<fs::MadeFile> FilesFixture::make_directory(InodeId directory, std::string name,
                                                  fs::Credentials who, uint32_t mode) {
  return run(
      files.make_directory(call(), std::move(who), request_of(directory, std::move(name), mode)));
}

Result<fs::MadeFile> FilesFixture::make_symlink(InodeId directory, std::string name,
                                                std::string target) {
  fs::NewFileRequest request = request_of(directory, std::move(name), 0777);
  request.target = std::move(target);
  return run(files.make_symlink(call(), root, std::move(request)));
}

Result<fs::FileChange> FilesFixture::remove(InodeId directory, std::string name,
                                            fs::Credentials who) {
  return run(files.remove(call(), std::move(who), directory, std::move(name)));
}

Result<fs::FileChange> FilesFixture::remove_directory(InodeId directory, std::string name,
                                                      fs::Credentials who) {
  return run(files.remove_directory(call(), std::move(who), directory, std::move(name)));
}

Result<fs::Files::Renamed> FilesFixture::rename(InodeId from, std::string from_name, InodeId to,
                                                std::string to_name, fs::Credentials who) {
  return run(
      files.rename(call(), std::move(who), from, std::move(from_name), to, std::move(to_name)));
}

Result<fs::Files::Linked> FilesFixture::link(InodeId file, InodeId directory, std::string name,
                                             fs::Credentials who) {
  return run(files.link(call(), std::move(who), file, directory, std::move(name)));
}

Result<fs::FileChange> FilesFixture::write(InodeId file, uint64_t offset, std::string_view bytes,
                                           fs::Credentials who) {
  return run(files.write(call(), std::move(who), file, offset, {Buffer::copy_of(bytes)}));
}

Result<fs::FileChange> FilesFixture::set_stat(InodeId file, fs::NewStat stat, fs::Credentials who) {
  return run(files.set_stat(call(), std::move(who), file, stat, std::nullopt));
}

Result<fs::FileChange> FilesFixture::truncate(InodeId file, uint64_t size) {
  fs::NewStat stat;
  stat.size = size;
  return set_stat(file, stat);
}

Result<fs::FileStat> FilesFixture::lookup(InodeId directory, std::string name,
                                          fs::Credentials who) {
  auto found = run(files.lookup(std::move(who), directory, std::move(name)));
  if (!found.ok()) return fail(std::move(found).error());
  return found->file;
}

std::string FilesFixture::read(InodeId file, uint64_t offset, uint32_t count, fs::Credentials who) {
  const auto read = run(files.read(std::move(who), file, offset, count));
  if (!read.ok()) return fmt::format("!{}", errc_name(read.error().code));
  std::string bytes;
  for (const Buffer& piece : read->bytes) bytes += piece.text();
  EXPECT_EQ(read->end, offset + bytes.size() >= read->file.size);
  return bytes;
}

std::vector<std::string> FilesFixture::names(InodeId directory, size_t count) {
  std::vector<std::string> all;
  uint64_t after = 0;
  std::set<uint64_t> cookies;
  for (;;) {
    const auto page = run(files.list(root, {directory, after, count, false}));
    EXPECT_TRUE(page.ok()) << page.error().text();
    if (!page.ok()) return all;
    for (const auto& entry : page->entries) {
      EXPECT_GT(entry.cookie, 2U);
      EXPECT_TRUE(cookies.insert(entry.cookie).second);
      all.push_back(entry.name);
      after = entry.cookie;
    }
    if (page->end) return all;
  }
}

uint32_t FilesFixture::links(InodeId file) {
  const auto stat = run(files.stat(file));
  return stat.ok() ? stat->links : 0;
}

InodeId FilesFixture::directory_elsewhere(InodeId parent, PartitionId than) {
  for (int i = 0; i < 100; ++i) {
    const auto made = make_directory(parent, fmt::format("elsewhere-{}-{}", than, i), root, 0777);
    if (made.ok() && made->file.id.partition() != than) return made->file.id;
  }
  ADD_FAILURE() << "all directories are in partition " << than.value;
  return {};
}

InodeId FilesFixture::directory_in(InodeId parent, PartitionId partition) {
  for (int i = 0; i < 1000; ++i) {
    const auto made = make_directory(parent, fmt::format("in-{}-{}", partition, i), root, 0777);
    if (made.ok() && made->file.id.partition() == partition) return made->file.id;
  }
  ADD_FAILURE() << "no directory is in partition " << partition.value;
  return {};
}

Task<fs::ObjectInfo> FilesFixture::put_object(fs::FileSystem& to, std::string in, std::string key,
                                              std::string bytes, fs::Conditions conditions) {
  auto writer = CO_TRY(co_await to.create(to.begin(7), in, key, bytes.size()));
  if (!bytes.empty()) CO_TRY(co_await writer->write(Buffer::copy_of(bytes)));
  fs::NewObject attributes;
  attributes.etag = fmt::format("{:032x}", std::hash<std::string>{}(bytes));
  co_return co_await writer->commit(std::move(attributes), std::move(conditions));
}

Task<std::string> FilesFixture::get_object(fs::FileSystem& from, std::string in, std::string key) {
  auto reader = CO_TRY(co_await from.open(from.begin(7), in, key));
  std::string bytes;
  while (bytes.size() < reader->info().size) {
    const uint64_t size = std::min<uint64_t>(reader->info().size - bytes.size(), 1 << 20);
    for (const Buffer& piece : CO_TRY(co_await reader->read(bytes.size(), size))) {
      bytes += piece.text();
    }
  }
  co_return bytes;
}

Result<fs::ObjectInfo> FilesFixture::put(std::string key, std::string bytes) {
  return run(put_object(objects, "bucket", std::move(key), std::move(bytes)));
}

std::string FilesFixture::get(std::string key) {
  auto bytes = run(get_object(objects, "bucket", std::move(key)));
  return bytes.ok() ? *bytes : fmt::format("!{}", errc_name(bytes.error().code));
}

std::vector<std::string> FilesFixture::keys() {
  fs::ListRequest everything;
  everything.count = 1'000'000;
  const auto listed = run(objects.list(objects.begin(7), "bucket", everything));
  EXPECT_TRUE(listed.ok()) << listed.error().text();
  std::vector<std::string> keys;
  if (!listed.ok()) return keys;
  for (const auto& item : listed->items) keys.push_back(item.key);
  return keys;
}

}  // namespace turbine::test
