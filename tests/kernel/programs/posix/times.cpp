// Which operation moves which time of what.
#include "checks.hpp"

namespace turbine::kernel_test {
namespace {

/// Times of one object, in nanoseconds.
struct Times {
  uint64_t modified = 0, changed = 0;
};

Times times_of(const std::string& path) {
  const struct stat status = status_of(path);
  return {nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

/// What an operation does to the times of one object that is there before and after it.
enum class Moves {
  nothing,
  change,            // ctime alone
  both,              // mtime and ctime
  change_or_nothing  // POSIX leaves it open
};

struct Watched {
  std::string path;
  Moves moves;
  std::string path_after;  // where it has another name afterwards
};

struct Operation {
  const char* name;
  std::function<long()> call;
  std::vector<Watched> watched;
};

void run(Checks& checks, const Operation& operation) {
  std::vector<Times> before;
  before.reserve(operation.watched.size());
  for (const Watched& each : operation.watched) before.push_back(times_of(each.path));
  wait_for_tick();
  checks.works(operation.call(), operation.name);
  for (size_t i = 0; i < operation.watched.size(); ++i) {
    const Watched& each = operation.watched[i];
    const Times after = times_of(each.path_after.empty() ? each.path : each.path_after);
    const auto judge = [&](const char* time, uint64_t was, uint64_t is, bool moved) {
      const std::string what = fmt::format("{}: {} of {}", operation.name, time, each.path);
      if (moved)
        checks.holds(is > was, what + " must move");
      else
        checks.holds(is == was, what + " must stay");
    };
    judge("mtime", before[i].modified, after.modified, each.moves == Moves::both);
    if (each.moves != Moves::change_or_nothing)
      judge("ctime", before[i].changed, after.changed, each.moves != Moves::nothing);
  }
}

long write_to(const char* path) {
  const int fd = ::open(path, O_WRONLY);
  const long result = ::write(fd, "more", 4) == 4 && ::fsync(fd) == 0 ? 0 : -1;
  ::close(fd);
  return result;
}

long read_from(const char* path) {
  const int fd = ::open(path, O_RDONLY);
  char text[16];
  const long result = ::read(fd, text, sizeof text) < 0 ? -1 : 0;
  ::close(fd);
  return result;
}

long create(const char* path) {
  const int fd = ::open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
  if (fd >= 0) ::close(fd);
  return fd < 0 ? -1 : 0;
}

long open_to_empty(const char* path) {
  const int fd = ::open(path, O_WRONLY | O_TRUNC);
  if (fd >= 0) ::close(fd);
  return fd < 0 ? -1 : 0;
}

void of_objects(Checks& checks) {
  make_directory("d");
  make_file("d/f", 0644, "content");
  const std::vector<Operation> operations = {
      {"chmod",
       [] { return ::chmod("d/f", 0600); },
       {{"d/f", Moves::change, ""}, {"d", Moves::nothing, ""}}},
      {"chown",
       [] { return ::chown("d/f", kAlice, kStaff); },
       {{"d/f", Moves::change, ""}, {"d", Moves::nothing, ""}}},
      {"link",
       [] { return ::link("d/f", "other"); },
       {{"d/f", Moves::change, ""}, {".", Moves::both, ""}, {"d", Moves::nothing, ""}}},
      {"unlink of a further link",
       [] { return ::unlink("other"); },
       {{"d/f", Moves::change, ""}, {".", Moves::both, ""}, {"d", Moves::nothing, ""}}},
      {"write",
       [] { return write_to("d/f"); },
       {{"d/f", Moves::both, ""}, {"d", Moves::nothing, ""}}},
      {"read", [] { return read_from("d/f"); }, {{"d/f", Moves::nothing, ""}}},
      {"truncate to less", [] { return ::truncate("d/f", 3); }, {{"d/f", Moves::both, ""}}},
      {"truncate to more", [] { return ::truncate("d/f", 300); }, {{"d/f", Moves::both, ""}}},
      {"open with O_TRUNC",
       [] { return open_to_empty("d/f"); },
       {{"d/f", Moves::both, ""}, {"d", Moves::nothing, ""}}},
      {"chmod of a directory",
       [] { return ::chmod("d", 0700); },
       {{"d", Moves::change, ""}, {".", Moves::nothing, ""}}},
  };
  for (const Operation& each : operations) run(checks, each);
}

void of_directories(Checks& checks) {
  make_directory("d");
  make_directory("e");
  const std::vector<Operation> operations = {
      {"create", [] { return create("d/f"); }, {{"d", Moves::both, ""}, {".", Moves::nothing, ""}}},
      {"mkdir", [] { return ::mkdir("d/sub", 0755); }, {{"d", Moves::both, ""}}},
      {"symlink", [] { return ::symlink("f", "d/l"); }, {{"d", Moves::both, ""}}},
      {"mkfifo", [] { return ::mkfifo("d/p", 0644); }, {{"d", Moves::both, ""}}},
      {"rename inside",
       [] { return ::rename("d/f", "d/g"); },
       {{"d", Moves::both, ""}, {"d/f", Moves::change_or_nothing, "d/g"}}},
      {"rename to another directory",
       [] { return ::rename("d/g", "e/g"); },
       {{"d", Moves::both, ""}, {"e", Moves::both, ""}, {"d/g", Moves::change_or_nothing, "e/g"}}},
      {"rename over a file",
       [] { return create("d/x") < 0 ? -1 : ::rename("d/x", "e/g"); },
       {{"d", Moves::both, ""}, {"e", Moves::both, ""}}},
      {"link into",
       [] { return ::link("e/g", "d/h"); },
       {{"d", Moves::both, ""}, {"e", Moves::nothing, ""}}},
      {"unlink", [] { return ::unlink("d/h"); }, {{"d", Moves::both, ""}}},
      {"unlink of a fifo", [] { return ::unlink("d/p"); }, {{"d", Moves::both, ""}}},
      {"rmdir", [] { return ::rmdir("d/sub"); }, {{"d", Moves::both, ""}}},
  };
  for (const Operation& each : operations) run(checks, each);
}

/// What was refused has changed nothing.
void of_what_was_refused(Checks& checks) {
  make_directory("d");
  make_file("d/f", 0644, "content");
  make_directory("d/full");
  make_file("d/full/x");
  give("d", 0, 0);
  const auto refused = [](long result) { return result < 0 ? 0L : -1L; };
  const std::vector<Watched> all = {
      {"d", Moves::nothing, ""}, {"d/f", Moves::nothing, ""}, {"d/full", Moves::nothing, ""}};
  const std::vector<Operation> operations = {
      {"mkdir over a name", [&] { return refused(::mkdir("d/f", 0755)); }, all},
      {"exclusive create", [&] { return refused(create("d/f")); }, all},
      {"symlink over a name", [&] { return refused(::symlink("x", "d/f")); }, all},
      {"link over a name", [&] { return refused(::link("d/f", "d/full")); }, all},
      {"rmdir of what is not empty", [&] { return refused(::rmdir("d/full")); }, all},
      {"unlink of a directory", [&] { return refused(::unlink("d/full")); }, all},
      {"rename over a full directory",
       [&] {
         make_directory("empty");
         const long result = refused(::rename("empty", "d/full"));
         ::rmdir("empty");
         return result;
       },
       all},
      {"chmod by another user",
       [&] {
         const As as(kBob, kGuests);
         return refused(::chmod("d/f", 0600));
       },
       all},
      {"chown by another user",
       [&] {
         const As as(kBob, kGuests);
         return refused(::chown("d/f", kBob, kGuests));
       },
       all},
      {"truncate by another user",
       [&] {
         const As as(kBob, kGuests);
         return refused(::truncate("d/f", 0));
       },
       all},
      {"unlink by another user",
       [&] {
         const As as(kBob, kGuests);
         return refused(::unlink("d/f"));
       },
       all},
  };
  for (const Operation& each : operations) run(checks, each);
}

void of_new_objects(Checks& checks) {
  wait_for_tick();
  const uint64_t before = times_of("../tick-probe").changed;
  wait_for_tick();
  make_file("f");
  make_directory("d");
  checks.works(::symlink("f", "l"), "symlink");
  checks.works(::mkfifo("p", 0644), "mkfifo");
  wait_for_tick();
  const uint64_t after = times_of("../tick-probe").changed;
  for (const char* each : {"f", "d", "l", "p"}) {
    const struct stat status = status_of(each);
    for (const timespec& time : {status.st_atim, status.st_mtim, status.st_ctim}) {
      checks.holds(nanoseconds(time) > before && nanoseconds(time) <= after,
                   fmt::format("a time of new {} is when it was made", each));
    }
  }
}

constexpr timespec kOmit = {0, UTIME_OMIT}, kNow = {0, UTIME_NOW};

void set_exactly(Checks& checks, const char* path) {
  const timespec values[] = {
      {0, 0},          {1, 1},          {999999999, 999999999}, {1234567890, 123456789},
      {2147483647, 5}, {2147483648, 6}, {4294967294, 999999999}};
  for (const timespec& value : values) {
    const timespec other = {1500000000, 777};
    const timespec times[2] = {value, other}, swapped[2] = {other, value};
    const std::string what = fmt::format("{} at {}.{:09}", path, value.tv_sec, value.tv_nsec);
    wait_for_tick();
    const uint64_t changed = times_of(path).changed;
    checks.works(::utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), what);
    checks.equal(nanoseconds(status_of(path).st_atim), nanoseconds(value), what + ": atime");
    checks.equal(nanoseconds(status_of(path).st_mtim), nanoseconds(other), what + ": mtime");
    checks.holds(times_of(path).changed > changed, what + ": ctime must move");
    checks.works(::utimensat(AT_FDCWD, path, swapped, AT_SYMLINK_NOFOLLOW), what);
    checks.equal(nanoseconds(status_of(path).st_mtim), nanoseconds(value), what + ": as mtime");
    checks.equal(nanoseconds(status_of(path).st_atim), nanoseconds(other), what + ": as atime");
  }
}

void set_by_utimensat(Checks& checks) {
  make_file("f");
  make_directory("d");
  checks.works(::mkfifo("p", 0644), "mkfifo");
  for (const char* each : {"f", "d", "p"}) set_exactly(checks, each);
}

/// The link's own times, not those of what it leads to.
void set_of_a_symlink(Checks& checks) {
  make_file("f");
  checks.works(::symlink("f", "l"), "symlink");
  const uint64_t target = times_of("f").modified;
  set_exactly(checks, "l");
  checks.equal(times_of("f").modified, target, "mtime of the link's target");
}

void set_one_of_two(Checks& checks) {
  make_file("f");
  const timespec both[2] = {{1000, 1}, {2000, 2}};
  checks.works(::utimensat(AT_FDCWD, "f", both, 0), "set both");
  const timespec first[2] = {{3000, 3}, kOmit}, second[2] = {kOmit, {4000, 4}};
  checks.works(::utimensat(AT_FDCWD, "f", first, 0), "set atime");
  checks.equal(nanoseconds(status_of("f").st_mtim), nanoseconds(both[1]), "mtime left alone");
  checks.works(::utimensat(AT_FDCWD, "f", second, 0), "set mtime");
  checks.equal(nanoseconds(status_of("f").st_atim), nanoseconds(first[0]), "atime left alone");
  const timespec now[2] = {kOmit, kNow};
  wait_for_tick();
  const uint64_t before = times_of("../tick-probe").changed;
  checks.works(::utimensat(AT_FDCWD, "f", now, 0), "set mtime to now");
  checks.equal(nanoseconds(status_of("f").st_atim), nanoseconds(first[0]), "atime left alone");
  const Times after = times_of("f");
  checks.holds(after.modified >= before, "mtime is now, by the server's clock");
  checks.holds(after.modified <= after.changed, "and not after ctime");
}

}  // namespace

std::vector<Case> time_cases() {
  return {{"of_objects", of_objects},
          {"of_directories", of_directories},
          {"of_what_was_refused", of_what_was_refused},
          {"of_new_objects", of_new_objects},
          {"set_by_utimensat", set_by_utimensat},
          {"set_of_a_symlink", set_of_a_symlink},
          {"set_one_of_two", set_one_of_two}};
}

}  // namespace turbine::kernel_test
