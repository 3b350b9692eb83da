// Many files in one directory: creates them, lists the directory while others come and go, stats
// all, removes half, lists, removes the rest.
//
//   many_files [--files=N] [--seed=N]
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <set>

#include "check.hpp"

namespace {

using namespace turbine::kernel_test;

constexpr const char* kDirectory = "many";

std::string name_of(uint64_t index) {
  return fmt::format("{}/file-{:06}", kDirectory, index);
}

void make(const std::string& path, std::string_view content) {
  const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0644);
  if (fd < 0) fail_errno("create {}", path);
  if (::write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size()))
    fail_errno("write {}", path);
  if (::close(fd) != 0) fail_errno("close {}", path);
}

/// Names and inode numbers, but for . and .. and those that come and go; each name must come once.
std::map<std::string, ino_t> list(const char* directory) {
  DIR* stream = ::opendir(directory);
  if (!stream) fail_errno("opendir {}", directory);
  std::map<std::string, ino_t> names;
  std::set<std::string> dots;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream);
    if (!entry) {
      if (errno != 0) fail_errno("readdir of {} after {} names", directory, names.size());
      break;
    }
    const std::string name = entry->d_name;
    if (name == "." || name == "..") {
      if (!dots.insert(name).second) fail("{} is listed twice", name);
    } else if (!name.starts_with("guest-")) {
      if (!names.emplace(name, entry->d_ino).second) fail("{} is listed twice", name);
      if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN)
        fail("{} is listed as of type {}, not as a file", name, entry->d_type);
    }
  }
  ::closedir(stream);
  return names;
}

/// Each file-INDEX that `stays` says must be there once, and no other.
template <class Stays>
void expect(const std::map<std::string, ino_t>& names, uint64_t files, Stays stays,
            std::string_view when) {
  uint64_t expected = 0;
  for (uint64_t i = 0; i < files; ++i) {
    const std::string name = fmt::format("file-{:06}", i);
    if (names.contains(name) != stays(i))
      fail("{}: {} is {}listed", when, name, stays(i) ? "not " : "");
    expected += stays(i);
  }
  if (names.size() != expected)
    fail("{}: {} names are listed, {} are expected", when, names.size(), expected);
}

/// A process that makes and removes other names until it is killed.
pid_t start_guests() {
  const pid_t child = ::fork();
  if (child < 0) fail_errno("fork");
  if (child > 0) return child;
  for (uint64_t i = 0;; ++i) {
    make(fmt::format("{}/guest-{}", kDirectory, i), "x");
    if (i >= 5 && ::unlink(fmt::format("{}/guest-{}", kDirectory, i - 5).c_str()) != 0)
      fail_errno("unlink guest-{}", i - 5);
  }
}

void end_guests(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, WNOHANG) != 0) fail("the other process ended by itself");
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
}

void stat_all(uint64_t files, const std::map<std::string, ino_t>& names) {
  std::set<ino_t> inodes;
  for (uint64_t i = 0; i < files; ++i) {
    struct stat state{};
    if (::stat(name_of(i).c_str(), &state) != 0) fail_errno("stat {}", name_of(i));
    if (static_cast<uint64_t>(state.st_size) != std::to_string(i).size())
      fail("{} has {} bytes, {} were written", name_of(i), state.st_size, std::to_string(i).size());
    if (state.st_nlink != 1) fail("{} has {} links", name_of(i), state.st_nlink);
    if (state.st_ino != names.at(fmt::format("file-{:06}", i)))
      fail("{} is inode {} by stat and another one by readdir", name_of(i), state.st_ino);
    if (!inodes.insert(state.st_ino).second)
      fail("{} has the inode number {} of another file", name_of(i), state.st_ino);
  }
}

void read_some(uint64_t files, Dice& dice) {
  for (int i = 0; i < 100; ++i) {
    const uint64_t index = below(dice, files);
    char content[32] = {};
    const int fd = ::open(name_of(index).c_str(), O_RDONLY);
    if (fd < 0) fail_errno("open {}", name_of(index));
    if (::read(fd, content, sizeof content) < 0) fail_errno("read {}", name_of(index));
    ::close(fd);
    if (std::to_string(index) != content) fail("{} holds '{}'", name_of(index), content);
  }
}

void remove_where(uint64_t files, uint64_t rest) {
  for (uint64_t i = 0; i < files; ++i) {
    if (i % 2 == rest && ::unlink(name_of(i).c_str()) != 0) fail_errno("unlink {}", name_of(i));
  }
}

void remove_guests() {
  DIR* stream = ::opendir(kDirectory);
  if (!stream) fail_errno("opendir {}", kDirectory);
  std::set<std::string> left;
  while (const dirent* entry = ::readdir(stream))
    if (std::string_view(entry->d_name).starts_with("guest-")) left.insert(entry->d_name);
  ::closedir(stream);
  for (const std::string& name : left)
    if (::unlink(fmt::format("{}/{}", kDirectory, name).c_str()) != 0)
      fail_errno("unlink {}", name);
}

}  // namespace

int main(int argc, char** argv) {
  Dice dice(seed_option(argc, argv));
  const uint64_t files = number_option(argc, argv, "files", 5000);
  if (::mkdir(kDirectory, 0755) != 0) fail_errno("mkdir {}", kDirectory);
  Progress progress;
  for (uint64_t i = 0; i < files; ++i) {
    make(name_of(i), std::to_string(i));
    progress.add();
  }
  const pid_t guests = start_guests();
  std::map<std::string, ino_t> names;
  for (int round = 0; round < 3; ++round) {
    names = list(kDirectory);
    expect(names, files, [](uint64_t) { return true; }, "while others come and go");
  }
  end_guests(guests);
  remove_guests();
  stat_all(files, names);
  read_some(files, dice);
  remove_where(files, 0);
  expect(list(kDirectory), files, [](uint64_t i) { return i % 2 == 1; }, "half removed");
  if (::rmdir(kDirectory) == 0 || (errno != ENOTEMPTY && errno != EEXIST))
    fail_errno("rmdir of a directory with files");
  remove_where(files, 1);
  expect(list(kDirectory), files, [](uint64_t) { return false; }, "all removed");
  if (::rmdir(kDirectory) != 0) fail_errno("rmdir {}", kDirectory);
  say("{} files made, listed, looked at and removed", files);
}
