// Checks what POSIX says of files in the working directory; run as root, where root is trusted.
//
//   posix_checks [GROUP...]      all, or those named: names, rename, times, ...
//   posix_checks --known=N       succeeds with exactly N failures, which the server is known for
//
// Prints each check that fails with what was expected; the exit code says whether any did. Of what
// NFS version 3 can't do nothing is asked: times before 1970 or after 2106, link counts of removed
// files that are open, times of reading.
#include <ftw.h>

#include <algorithm>

#include "checks.hpp"

namespace {

using namespace turbine::kernel_test;

struct Group {
  const char* name;
  std::vector<Case> (*cases)();
};

const Group kGroups[] = {
    {"permissions", permission_cases},
    {"ownership", ownership_cases},
    {"times", time_cases},
    {"links", link_cases},
    {"rename", rename_cases},
    {"names", name_cases},
    {"directories", directory_cases},
    {"open", open_cases},
};

int remove_one(const char* path, const struct stat*, int, FTW*) {
  return ::remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

/// Names that the client gave to removed files while they were open go a moment after their last
/// close, and keep their directory from being removed until then.
void remove_tree(const std::string& path) {
  wait_until([&] { return ::nftw(path.c_str(), remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0; });
  if (exists(path)) fail_errno("{} can't be removed", path);
}

void run(Checks& checks, const Group& group, const Case& each) {
  const std::string name = fmt::format("{}.{}", group.name, each.name);
  checks.begin(name);
  make_directory(name, 0777);
  if (::chdir(name.c_str()) != 0) fail_errno("chdir {}", name);
  each.run(checks);
  if (::chdir("..") != 0) fail_errno("chdir out of {}", name);
  remove_tree(name);
}

}  // namespace

int main(int argc, char** argv) {
  if (::geteuid() != 0) fail("run it as root");
  ::umask(0);
  const uint64_t known = number_option(argc, argv, "known", 0);
  std::vector<std::string_view> wanted;
  for (int i = 1; i < argc; ++i)
    if (!std::string_view(argv[i]).starts_with("--")) wanted.emplace_back(argv[i]);
  Checks checks;
  for (const Group& group : kGroups) {
    if (!wanted.empty() && std::ranges::find(wanted, group.name) == wanted.end()) continue;
    const uint64_t before = checks.count();
    for (const Case& each : group.cases()) run(checks, group, each);
    say("{}: {} checks", group.name, checks.count() - before);
  }
  ::unlink("tick-probe");
  if (checks.count() == 0) fail("no group of that name");
  say("{} checks, {} failed", checks.count(), checks.failed());
  return checks.failed() == known ? 0 : 1;
}
