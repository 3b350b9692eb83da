// mkdir, rmdir, unlink, mknod, readdir.
#include <dirent.h>
#include <sys/sysmacros.h>

#include <map>

#include "checks.hpp"

namespace turbine::kernel_test {
namespace {

void make_one_of_each() {
  make_file("f");
  make_directory("d");
  if (::symlink("f", "l") != 0) fail_errno("symlink");
  if (::symlink("nothing", "broken") != 0) fail_errno("symlink");
  if (::mkfifo("p", 0644) != 0) fail_errno("mkfifo");
}

constexpr const char* kOneOfEach[] = {"f", "d", "l", "broken", "p"};

void mkdir_errors(Checks& checks) {
  make_one_of_each();
  for (const char* each : kOneOfEach)
    checks.fails(::mkdir(each, 0755), EEXIST, fmt::format("mkdir over {}", each));
  checks.fails(::mkdir("nothing/d", 0755), ENOENT, "mkdir in nothing");
  checks.fails(::mkdir("f/d", 0755), ENOTDIR, "mkdir below a file");
  checks.fails(::mkdir("p/d", 0755), ENOTDIR, "mkdir below a fifo");
  checks.fails(::mkdir("", 0755), ENOENT, "mkdir of an empty name");
  checks.fails(::mkdir(".", 0755), EEXIST, "mkdir .");
  checks.fails(::mkdir("d/..", 0755), EEXIST, "mkdir ..");
  checks.works(::mkdir("e/", 0751), "mkdir with a slash");
  checks.mode("e", 0751, "its mode");
  checks.works(::mkdir("t", 01777), "mkdir with the sticky bit");
  checks.mode("t", 01777, "its mode");
}

void rmdir_errors(Checks& checks) {
  make_one_of_each();
  make_file("d/inside");
  checks.fails(::rmdir("d"), {ENOTEMPTY, EEXIST}, "rmdir with a file inside");
  for (const char* each : {"f", "l", "broken", "p"})
    checks.fails(::rmdir(each), ENOTDIR, fmt::format("rmdir {}", each));
  checks.fails(::rmdir("nothing"), ENOENT, "rmdir of nothing");
  checks.fails(::rmdir("f/d"), ENOTDIR, "rmdir below a file");
  checks.fails(::rmdir("d/."), EINVAL, "rmdir .");
  make_directory("d/e");
  checks.fails(::rmdir("d/e/.."), {ENOTEMPTY, EEXIST, EINVAL}, "rmdir ..");
  checks.works(::unlink("d/inside"), "unlink");
  checks.fails(::rmdir("d"), {ENOTEMPTY, EEXIST}, "rmdir with a directory inside");
  checks.works(::rmdir("d/e"), "rmdir of what is inside");
  checks.works(::rmdir("d"), "rmdir of what is empty");
  checks.fails(::rmdir("d"), ENOENT, "rmdir again");
}

void unlink_errors(Checks& checks) {
  make_one_of_each();
  checks.fails(::unlink("d"), {EISDIR, EPERM}, "unlink of a directory");
  checks.fails(::unlink("nothing"), ENOENT, "unlink of nothing");
  checks.fails(::unlink("f/x"), ENOTDIR, "unlink below a file");
  checks.fails(::unlink("f/"), ENOTDIR, "unlink of a file with a slash");
  checks.fails(::unlink(""), ENOENT, "unlink of an empty name");
  for (const char* each : {"f", "l", "broken", "p"}) {
    checks.works(::unlink(each), fmt::format("unlink {}", each));
    checks.holds(!exists(each), fmt::format("{} is gone", each));
  }
}

void special_files(Checks& checks) {
  struct Special {
    const char* name;
    mode_t type;
    dev_t device;
  };
  const Special specials[] = {{"fifo", S_IFIFO, 0},
                              {"socket", S_IFSOCK, 0},
                              {"character device", S_IFCHR, makedev(1, 3)},
                              {"block device", S_IFBLK, makedev(200, 300)},
                              {"regular file", S_IFREG, 0}};
  for (const Special& each : specials) {
    checks.works(::mknod("n", each.type | 0640, each.device), fmt::format("mknod {}", each.name));
    const struct stat status = status_of("n");
    checks.holds((status.st_mode & S_IFMT) == each.type, fmt::format("{}: its type", each.name));
    checks.equal(status.st_mode & 07777, 0640, fmt::format("{}: its mode", each.name));
    checks.equal(status.st_rdev, each.device, fmt::format("{}: its device", each.name));
    checks.equal(status.st_nlink, 1, fmt::format("{}: its links", each.name));
    checks.fails(::mknod("n", each.type | 0600, each.device), EEXIST, "mknod over it");
    checks.works(::chmod("n", 0604), "chmod");
    checks.works(::rename("n", "m"), "rename");
    checks.mode("m", 0604, each.name);
    checks.works(::unlink("m"), "unlink");
  }
  const As as(kAlice, kStaff);
  checks.fails(::mknod("n", S_IFCHR | 0666, makedev(1, 3)), EPERM, "a device by a user");
  checks.works(::mkfifo("n", 0644), "a fifo by a user");
}

void listing(Checks& checks) {
  make_one_of_each();
  if (::mknod("s", S_IFSOCK | 0644, 0) != 0) fail_errno("mknod");
  const std::map<std::string, unsigned char> expected = {
      {".", DT_DIR}, {"..", DT_DIR},     {"f", DT_REG},  {"d", DT_DIR},
      {"l", DT_LNK}, {"broken", DT_LNK}, {"p", DT_FIFO}, {"s", DT_SOCK}};
  DIR* stream = ::opendir(".");
  if (!checks.holds(stream != nullptr, "opendir")) return;
  for (const char* when : {"first", "rewound"}) {
    std::map<std::string, unsigned char> found;
    std::map<std::string, ino_t> inodes;
    while (const dirent* entry = ::readdir(stream)) {
      checks.holds(found.emplace(entry->d_name, entry->d_type).second,
                   fmt::format("{}: {} comes once", when, entry->d_name));
      inodes[entry->d_name] = entry->d_ino;
    }
    checks.equal(found.size(), expected.size(), fmt::format("{}: names", when));
    for (const auto& [name, type] : expected) {
      if (!checks.holds(found.contains(name), fmt::format("{}: {} is listed", when, name)))
        continue;
      checks.holds(found[name] == type || found[name] == DT_UNKNOWN,
                   fmt::format("{}: type of {}", when, name));
      checks.equal(inodes[name], status_of(name).st_ino,
                   fmt::format("{}: inode of {}", when, name));
    }
    ::rewinddir(stream);
  }
  ::closedir(stream);
}

/// Whoever has taken a place goes on from there, also when what was there is gone.
void listing_from_a_place(Checks& checks) {
  constexpr int kFiles = 300;
  for (int i = 0; i < kFiles; ++i) make_file(fmt::format("f{}", i));
  DIR* stream = ::opendir(".");
  std::vector<std::string> names;
  std::vector<long> places;
  while (const dirent* entry = ::readdir(stream)) {
    names.emplace_back(entry->d_name);
    places.push_back(::telldir(stream));  // behind this name
  }
  checks.equal(names.size(), kFiles + 2, "names with . and ..");
  for (const size_t at : {size_t{10}, size_t{150}, names.size() - 2}) {
    ::seekdir(stream, places[at]);
    const dirent* next = ::readdir(stream);
    checks.holds(next && names[at + 1] == next->d_name,
                 fmt::format("seekdir behind name {} gives name {}", at, at + 1));
  }
  const std::string gone = names[150];
  checks.works(gone.starts_with("f") ? ::unlink(gone.c_str()) : 0, "unlink");
  ::seekdir(stream, places[150]);
  const dirent* next = ::readdir(stream);
  checks.holds(next && names[151] == next->d_name, "seekdir behind a name that is gone");
  ::closedir(stream);
}

/// rm -r reads and removes in turns.
void removing_while_listing(Checks& checks) {
  constexpr int kFiles = 1200;
  make_directory("d");
  for (int i = 0; i < kFiles; ++i) make_file(fmt::format("d/a-name-that-fills-pages-{}", i));
  DIR* stream = ::opendir("d");
  int removed = 0;
  while (const dirent* entry = ::readdir(stream)) {
    if (entry->d_name[0] == '.') continue;
    if (checks.works(::unlink(fmt::format("d/{}", entry->d_name).c_str()),
                     "unlink of what is listed"))
      ++removed;
  }
  ::closedir(stream);
  checks.equal(static_cast<uint64_t>(removed), kFiles, "one pass removes all");
  checks.works(::rmdir("d"), "rmdir");
}

}  // namespace

std::vector<Case> directory_cases() {
  return {{"mkdir_errors", mkdir_errors},
          {"rmdir_errors", rmdir_errors},
          {"unlink_errors", unlink_errors},
          {"special_files", special_files},
          {"listing", listing},
          {"listing_from_a_place", listing_from_a_place},
          {"removing_while_listing", removing_while_listing}};
}

}  // namespace turbine::kernel_test
