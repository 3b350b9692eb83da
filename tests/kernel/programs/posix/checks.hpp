// What POSIX checks are made of. A case runs in a new directory of its own, as root, with umask 0;
// each of its checks that fails is printed with what was expected, and the case goes on.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <initializer_list>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"

namespace turbine::kernel_test {

class Checks {
 public:
  using Where = std::source_location;

  /// A system call that must succeed: `result` is what it returned.
  bool works(long result, std::string_view what, Where where = Where::current());
  /// One that must fail with one of `codes`.
  bool fails(long result, std::initializer_list<int> codes, std::string_view what,
             Where where = Where::current());
  bool fails(long result, int code, std::string_view what, Where where = Where::current()) {
    return fails(result, {code}, what, where);
  }
  bool holds(bool condition, std::string_view what, Where where = Where::current());
  bool equal(uint64_t found, uint64_t expected, std::string_view what,
             Where where = Where::current());
  /// In octal.
  bool mode(const char* path, mode_t expected, std::string_view what,
            Where where = Where::current());

  void begin(std::string name) { case_ = std::move(name); }
  uint64_t count() const { return count_; }
  uint64_t failed() const { return failed_; }

 private:
  bool judge(bool good, const std::string& what, Where where);

  std::string case_;
  uint64_t count_ = 0, failed_ = 0;
};

struct Case {
  const char* name;
  std::function<void(Checks&)> run;
};

// One table of cases from each file of this folder.
std::vector<Case> permission_cases();
std::vector<Case> ownership_cases();
std::vector<Case> time_cases();
std::vector<Case> link_cases();
std::vector<Case> rename_cases();
std::vector<Case> name_cases();
std::vector<Case> directory_cases();
std::vector<Case> open_cases();

/// Acts as another user from here to the end of the scope.
class As {
 public:
  As(uid_t user, gid_t group, std::vector<gid_t> others = {});
  ~As();
  As(const As&) = delete;
  As& operator=(const As&) = delete;
};

constexpr uid_t kAlice = 1000, kBob = 1001;
constexpr gid_t kStaff = 2000, kGuests = 2001;  // nobody's first group

// Things to work with; ending the process when they can't be made.
void make_file(const std::string& path, mode_t mode = 0644, std::string_view content = "");
void make_directory(const std::string& path, mode_t mode = 0755);
void give(const std::string& path, uid_t user, gid_t group);
struct stat status_of(const std::string& path);  // of a symlink itself
bool exists(const std::string& path);            // of a symlink itself
std::string content_of(const std::string& path);
std::vector<std::string> names_in(const std::string& path);  // without . and ..

/// Until condition() holds, or five seconds are over; says whether it does.
bool wait_until(const std::function<bool()>& condition);

/// Nanoseconds since 1970.
uint64_t nanoseconds(const timespec& time);
/// Waits until the server's clock has moved on, so that what changes from here on is seen to.
void wait_for_tick();

}  // namespace turbine::kernel_test
