// Who may what: classes of a mode, search and write permission of directories, sticky directories.
#include <sys/time.h>

#include "checks.hpp"

namespace turbine::kernel_test {
namespace {

struct Person {
  const char* name;
  uid_t user;
  gid_t group;
  std::vector<gid_t> others;
  int shift;  // of the class of a mode that is theirs, for a file of alice and staff
};

const Person kPersons[] = {
    {"the owner", kAlice, kGuests, {}, 6},
    {"the owner, of the group too", kAlice, kStaff, {}, 6},
    {"a member", kBob, kStaff, {}, 3},
    {"a member by a further group", kBob, kGuests, {3000, kStaff, 3001}, 3},
    {"anybody else", kBob, kGuests, {3000}, 0},
};

void expect(Checks& checks, bool allowed, long result, const std::string& what) {
  if (allowed)
    checks.works(result, what);
  else
    checks.fails(result, EACCES, what);
}

/// Only the bits of one's own class count, also where another class has more.
void classes_of_a_file(Checks& checks) {
  make_file("f", 0, "#!/bin/sh\n");
  give("f", kAlice, kStaff);
  for (const int shift : {6, 3, 0}) {
    for (mode_t bits = 0; bits < 8; ++bits) {
      const mode_t mode = bits << shift;
      checks.works(::chmod("f", mode), "chmod");
      for (const Person& person : kPersons) {
        const As as(person.user, person.group, person.others);
        const mode_t mine = mode >> person.shift & 7;
        const std::string who = fmt::format("mode {:04o}, {}", mode, person.name);
        const auto opens = [&](int flags, bool allowed, const char* how) {
          const int fd = ::open("f", flags);
          expect(checks, allowed, fd, fmt::format("{}: open {}", who, how));
          if (fd >= 0) ::close(fd);
        };
        opens(O_RDONLY, mine & 4, "to read");
        opens(O_WRONLY, mine & 2, "to write");
        opens(O_RDWR, (mine & 6) == 6, "for both");
        expect(checks, mine & 1, ::faccessat(AT_FDCWD, "f", X_OK, AT_EACCESS), who + ": access X");
        expect(checks, mine & 2, ::truncate("f", 10), who + ": truncate");
      }
    }
  }
}

void classes_of_a_directory(Checks& checks) {
  make_directory("d", 0777);
  make_file("d/f", 0666);
  give("d", kAlice, kStaff);
  for (mode_t bits = 0; bits < 8; ++bits) {
    for (const Person& person : kPersons) {
      checks.works(::chmod("d", bits << person.shift), "chmod");
      const As as(person.user, person.group, person.others);
      const std::string who = fmt::format("mode {:04o}, {}", bits << person.shift, person.name);
      struct stat status{};
      expect(checks, bits & 1, ::stat("d/f", &status), who + ": stat inside");
      const int fd = ::open("d", O_RDONLY | O_DIRECTORY);
      expect(checks, bits & 4, fd, who + ": open to list");
      if (fd >= 0) ::close(fd);
      const bool changes = (bits & 3) == 3;
      expect(checks, changes, ::mkdir("d/new", 0755), who + ": mkdir inside");
      if (changes) checks.works(::rmdir("d/new"), who + ": rmdir inside");
    }
  }
}

struct Operation {
  const char* name;
  std::function<long()> call;
};

/// All on names in the directory d, with f and the empty directory e in it and o outside.
const std::vector<Operation>& changes_of_names() {
  static const std::vector<Operation> all = {
      {"creat", [] { return ::open("d/n", O_CREAT | O_WRONLY, 0644); }},
      {"creat, exclusive", [] { return ::open("d/n", O_CREAT | O_EXCL | O_WRONLY, 0644); }},
      {"mkdir", [] { return ::mkdir("d/n", 0755); }},
      {"symlink", [] { return ::symlink("x", "d/n"); }},
      {"mkfifo", [] { return ::mkfifo("d/n", 0644); }},
      {"link", [] { return ::link("o", "d/n"); }},
      {"rename into", [] { return ::rename("o", "d/n"); }},
      {"rename out of", [] { return ::rename("d/f", "n"); }},
      {"rename inside", [] { return ::rename("d/f", "d/n"); }},
      {"unlink", [] { return ::unlink("d/f"); }},
      {"rmdir", [] { return ::rmdir("d/e"); }},
  };
  return all;
}

const std::vector<Operation>& uses_of_names() {
  static const std::vector<Operation> all = {
      {"open", [] { return ::open("d/f", O_RDONLY); }},
      {"stat",
       [] {
         struct stat status{};
         return ::stat("d/f", &status);
       }},
      {"access", [] { return ::faccessat(AT_FDCWD, "d/f", F_OK, AT_EACCESS); }},
      {"chmod", [] { return ::chmod("d/f", 0600); }},
      {"chown", [] { return ::chown("d/f", kBob, kGuests); }},
      {"truncate", [] { return ::truncate("d/f", 3); }},
      {"utimes", [] { return ::utimensat(AT_FDCWD, "d/f", nullptr, 0); }},
      {"readlink",
       [] {
         char text[10];
         return static_cast<long>(::readlink("d/f", text, sizeof text));
       }},
      {"link from", [] { return ::link("d/f", "n"); }},
      {"chdir", [] { return ::chdir("d/e"); }},
  };
  return all;
}

void fill_directory() {
  make_directory("d", 0777);
  make_file("d/f", 0666);
  make_directory("d/e", 0777);
  make_file("o", 0666);
  for (const char* each : {"d/f", "d/e", "o"}) give(each, kBob, kGuests);
}

void no_write_permission(Checks& checks) {
  fill_directory();
  checks.works(::chmod("d", 0555), "chmod");
  const As as(kBob, kGuests);
  for (const Operation& each : changes_of_names()) checks.fails(each.call(), EACCES, each.name);
}

void no_search_permission(Checks& checks) {
  fill_directory();
  checks.works(::chmod("d", 0666), "chmod");
  const As as(kBob, kGuests);
  for (const Operation& each : changes_of_names()) checks.fails(each.call(), EACCES, each.name);
  for (const Operation& each : uses_of_names()) checks.fails(each.call(), EACCES, each.name);
}

/// May one remove or rename what is whose, in a sticky directory of whom?
struct Sticky {
  const char* name;
  uid_t directory, file, actor;
  bool allowed;
};

const Sticky kSticky[] = {
    {"own file in other's directory", kBob, kAlice, kAlice, true},
    {"other's file in own directory", kAlice, kBob, kAlice, true},
    {"other's file in other's directory", kBob, kBob, kAlice, false},
    {"root's file in root's directory", 0, 0, kAlice, false},
    {"other's file, being root", kBob, kBob, 0, true},
};

void sticky_directories(Checks& checks) {
  for (const Sticky& each : kSticky) {
    make_directory("s", 01777);
    make_directory("t", 0777);
    make_file("s/f");
    make_file("s/g");
    make_directory("s/e");
    make_file("t/mine");
    for (const char* path : {"s/f", "s/g", "s/e"}) give(path, each.file, kGuests);
    give("t/mine", each.actor, kGuests);
    give("s", each.directory, kGuests);
    {
      const As as(each.actor, kGuests);
      const auto judge = [&](long result, const char* what) {
        const std::string text = fmt::format("{}: {}", each.name, what);
        if (each.allowed)
          checks.works(result, text);
        else
          checks.fails(result, {EPERM, EACCES}, text);
      };
      judge(::rename("s/f", "s/h"), "rename inside");
      if (each.allowed) checks.works(::rename("s/h", "s/f"), "rename back");
      judge(::rename("t/mine", "s/g"), "rename over");
      judge(::unlink("s/f"), "unlink");
      judge(::rmdir("s/e"), "rmdir");
      checks.works(::mkdir("s/new", 0755), "anybody makes names");
      checks.works(::rmdir("s/new"), "and removes one's own");
    }
    for (const char* path : {"s/f", "s/g", "t/mine"}) ::unlink(path);
    ::rmdir("s/e");
    checks.works(::rmdir("s"), "rmdir s");
    checks.works(::rmdir("t"), "rmdir t");
  }
}

/// Who makes a file may write into it through what creating it gave, whatever its mode says; and
/// who has a file open keeps what he has.
void open_files_outlive_their_mode(Checks& checks) {
  const As as(kAlice, kStaff);
  const int fd = ::open("f", O_CREAT | O_EXCL | O_RDWR, 0400);
  checks.works(fd, "create with mode 0400");
  checks.equal(static_cast<uint64_t>(::pwrite(fd, "hello", 5, 0)), 5, "write to it");
  checks.works(::fsync(fd), "fsync");
  checks.works(::fchmod(fd, 0), "fchmod 0");
  checks.equal(static_cast<uint64_t>(::pwrite(fd, "there", 5, 5)), 5, "write with mode 0");
  checks.works(::fsync(fd), "fsync with mode 0");
  checks.works(::ftruncate(fd, 8), "ftruncate with mode 0");
  char text[16] = {};
  checks.equal(static_cast<uint64_t>(::pread(fd, text, sizeof text, 0)), 8, "read with mode 0");
  checks.holds(std::string_view(text) == "hellothe", "what was written is there");
  ::close(fd);
  checks.fails(::open("f", O_RDONLY), EACCES, "open with mode 0");
}

void times_may_be_set_by(Checks& checks) {
  make_file("f", 0666);
  make_file("g", 0644);
  give("f", kAlice, kStaff);
  give("g", kAlice, kStaff);
  const timespec some[2] = {{1000000000, 0}, {1000000001, 0}};
  {
    const As as(kAlice, kStaff);
    checks.works(::utimensat(AT_FDCWD, "f", some, 0), "the owner sets times");
    checks.works(::utimensat(AT_FDCWD, "f", nullptr, 0), "the owner sets them to now");
  }
  const As as(kBob, kGuests);
  checks.fails(::utimensat(AT_FDCWD, "f", some, 0), EPERM, "times by who may only write");
  checks.works(::utimensat(AT_FDCWD, "f", nullptr, 0), "now by who may write");
  checks.fails(::utimensat(AT_FDCWD, "g", some, 0), EPERM, "times by who may not write");
  checks.fails(::utimensat(AT_FDCWD, "g", nullptr, 0), EACCES, "now by who may not write");
}

}  // namespace

std::vector<Case> permission_cases() {
  return {{"classes_of_a_file", classes_of_a_file},
          {"classes_of_a_directory", classes_of_a_directory},
          {"no_write_permission", no_write_permission},
          {"no_search_permission", no_search_permission},
          {"sticky_directories", sticky_directories},
          {"open_files_outlive_their_mode", open_files_outlive_their_mode},
          {"times_may_be_set_by", times_may_be_set_by}};
}

}  // namespace turbine::kernel_test
