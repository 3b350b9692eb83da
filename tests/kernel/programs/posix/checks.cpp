#include "checks.hpp"

#include <dirent.h>
#include <grp.h>

#include <algorithm>

namespace turbine::kernel_test {
namespace {

std::string error_name(int code) {
  const char* name = ::strerrorname_np(code);
  return name ? name : std::to_string(code);
}

}  // namespace

bool Checks::judge(bool good, const std::string& what, Where where) {
  ++count_;
  if (good) return true;
  ++failed_;
  std::string_view file = where.file_name();
  file.remove_prefix(file.rfind('/') + 1);
  say("FAILED {} ({}:{}): {}", case_, file, where.line(), what);
  return false;
}

bool Checks::works(long result, std::string_view what, Where where) {
  const int code = errno;
  return judge(result >= 0, fmt::format("{}: {}, expected success", what, error_name(code)), where);
}

bool Checks::fails(long result, std::initializer_list<int> codes, std::string_view what,
                   Where where) {
  const int code = errno;
  std::string expected;
  for (const int each : codes) expected += (expected.empty() ? "" : " or ") + error_name(each);
  const bool good = result < 0 && std::ranges::find(codes, code) != codes.end();
  return judge(
      good,
      fmt::format("{}: {}, expected {}", what, result < 0 ? error_name(code) : "success", expected),
      where);
}

bool Checks::holds(bool condition, std::string_view what, Where where) {
  return judge(condition, std::string(what), where);
}

bool Checks::equal(uint64_t found, uint64_t expected, std::string_view what, Where where) {
  return judge(found == expected, fmt::format("{}: {}, expected {}", what, found, expected), where);
}

bool Checks::mode(const char* path, mode_t expected, std::string_view what, Where where) {
  const mode_t found = status_of(path).st_mode & 07777;
  return judge(found == expected,
               fmt::format("{}: mode {:04o}, expected {:04o}", what, found, expected), where);
}

As::As(uid_t user, gid_t group, std::vector<gid_t> others) {
  if (::setgroups(others.size(), others.data()) != 0) fail_errno("setgroups");
  if (::setegid(group) != 0) fail_errno("setegid {}", group);
  if (::seteuid(user) != 0) fail_errno("seteuid {}", user);
}

As::~As() {
  if (::seteuid(0) != 0 || ::setegid(0) != 0 || ::setgroups(0, nullptr) != 0)
    fail_errno("back to root");
}

void make_file(const std::string& path, mode_t mode, std::string_view content) {
  const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600);
  if (fd < 0) fail_errno("create {}", path);
  if (::write(fd, content.data(), content.size()) != static_cast<ssize_t>(content.size()))
    fail_errno("write {}", path);
  if (::fchmod(fd, mode) != 0) fail_errno("fchmod {}", path);
  if (::close(fd) != 0) fail_errno("close {}", path);
}

void make_directory(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), 0700) != 0) fail_errno("mkdir {}", path);
  if (::chmod(path.c_str(), mode) != 0) fail_errno("chmod {}", path);
}

void give(const std::string& path, uid_t user, gid_t group) {
  if (::lchown(path.c_str(), user, group) != 0)
    fail_errno("chown {} (the export must not squash root)", path);
}

struct stat status_of(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) fail_errno("lstat {}", path);
  return status;
}

bool exists(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

std::string content_of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  if (fd < 0) fail_errno("open {}", path);
  std::string content(100000, '\0');
  const ssize_t count = ::read(fd, content.data(), content.size());
  if (count < 0) fail_errno("read {}", path);
  ::close(fd);
  content.resize(static_cast<size_t>(count));
  return content;
}

std::vector<std::string> names_in(const std::string& path) {
  DIR* stream = ::opendir(path.c_str());
  if (!stream) fail_errno("opendir {}", path);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(stream);
  std::ranges::sort(names);
  return names;
}

bool wait_until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::usleep(10'000);
  }
  return true;
}

uint64_t nanoseconds(const timespec& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

void wait_for_tick() {
  // Outside of the case's directory, whose own times it must not touch.
  static const std::string probe = "../tick-probe";
  const int fd = ::open(probe.c_str(), O_CREAT | O_WRONLY, 0644);
  if (fd < 0) fail_errno("open {}", probe);
  ::close(fd);
  const uint64_t begin = nanoseconds(status_of(probe).st_ctim);
  for (int tries = 0; nanoseconds(status_of(probe).st_ctim) == begin; ++tries) {
    if (tries > 10000) fail("the server's clock stands still");
    if (::chmod(probe.c_str(), tries % 2 == 0 ? 0600 : 0644) != 0) fail_errno("chmod {}", probe);
  }
}

}  // namespace turbine::kernel_test
