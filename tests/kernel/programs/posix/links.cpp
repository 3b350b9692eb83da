// Hard links, link counts of directories, symbolic links.
#include <climits>

#include "checks.hpp"

namespace turbine::kernel_test {
namespace {

uint64_t links_of(const char* path) {
  return status_of(path).st_nlink;
}

void link_counts_of_files(Checks& checks) {
  make_file("a", 0644, "content");
  make_directory("d");
  checks.equal(links_of("a"), 1, "a new file");
  checks.works(::link("a", "b"), "link");
  checks.works(::link("b", "d/c"), "link of a link into another directory");
  for (const char* each : {"a", "b", "d/c"}) {
    checks.equal(links_of(each), 3, fmt::format("three links, {}", each));
    checks.equal(status_of(each).st_ino, status_of("a").st_ino, "one inode");
    checks.holds(content_of(each) == "content", fmt::format("one content, {}", each));
  }
  checks.works(::chmod("b", 0600), "chmod of one");
  checks.mode("d/c", 0600, "seen through another");
  checks.works(::unlink("a"), "unlink of the first name");
  checks.equal(links_of("b"), 2, "after unlink");
  checks.works(::rename("b", "d/b"), "rename");
  checks.equal(links_of("d/b"), 2, "after rename");
  make_file("x");
  checks.works(::rename("x", "d/c"), "rename over one of two links");
  checks.equal(links_of("d/b"), 1, "after a link was renamed over");
  checks.holds(content_of("d/b") == "content", "the last link has the content");
}

void link_counts_of_directories(Checks& checks) {
  make_directory("d");
  checks.equal(links_of("d"), 2, "an empty directory");
  make_file("d/f");
  checks.equal(links_of("d"), 2, "with a file");
  make_directory("d/a");
  make_directory("d/b");
  checks.equal(links_of("d"), 4, "with two directories");
  make_directory("e");
  checks.works(::rename("d/a", "e/a"), "rename of a directory to another parent");
  checks.equal(links_of("d"), 3, "the old parent");
  checks.equal(links_of("e"), 3, "the new parent");
  checks.equal(status_of("e/a/..").st_ino, status_of("e").st_ino, ".. leads to the new parent");
  checks.works(::rename("e/a", "d/b"), "rename over an empty directory");
  checks.equal(links_of("e"), 2, "the old parent after a rename over");
  checks.equal(links_of("d"), 3, "the new parent after a rename over");
  checks.works(::rmdir("d/b"), "rmdir");
  checks.equal(links_of("d"), 2, "after rmdir");
}

void link_errors(Checks& checks) {
  make_file("f");
  make_file("g");
  make_directory("d");
  checks.works(::symlink("nothing", "l"), "symlink");
  for (const char* each : {"g", "d", "l"})
    checks.fails(::link("f", each), EEXIST, fmt::format("link over {}", each));
  checks.fails(::link("d", "n"), {EPERM, EACCES}, "link of a directory");
  checks.fails(::link("nothing", "n"), ENOENT, "link of nothing");
  checks.fails(::link("f", "nothing/n"), ENOENT, "link into nothing");
  checks.fails(::link("f/x", "n"), ENOTDIR, "link from below a file");
  checks.fails(::link("f", "g/n"), ENOTDIR, "link to below a file");
  checks.equal(links_of("f"), 1, "after links that were refused");
  checks.works(::link("l", "m"), "link of a symlink");
  checks.equal(status_of("m").st_ino, status_of("l").st_ino, "is of the symlink itself");
  checks.works(::mkfifo("p", 0644), "mkfifo");
  checks.works(::link("p", "q"), "link of a fifo");
  checks.equal(links_of("q"), 2, "a fifo's links");
}

std::string read_link(const char* path) {
  char text[PATH_MAX + 1] = {};
  return ::readlink(path, text, PATH_MAX) < 0 ? "(none)" : text;
}

void symlinks_keep_their_text(Checks& checks) {
  const std::string long_text(1000, 'x');
  const std::string texts[] = {"a",        "/absolute/path", "../up",      "with space", "n\nl",
                               "\xc3\xa4", "\xff\x80",       "//double//", "trailing/",  ".",
                               long_text};
  int number = 0;
  for (const std::string& text : texts) {
    const std::string name = fmt::format("l{}", number++);
    if (!checks.works(::symlink(text.c_str(), name.c_str()), "symlink to " + text)) continue;
    checks.holds(read_link(name.c_str()) == text, "readlink gives " + text);
    const struct stat status = status_of(name);
    checks.holds(S_ISLNK(status.st_mode), "it is a symlink");
    checks.equal(static_cast<uint64_t>(status.st_size), text.size(), "its size");
    checks.equal(status.st_mode & 0777, 0777, "its mode");
  }
  char few[4] = {};
  checks.equal(static_cast<uint64_t>(::readlink("l1", few, 3)), 3, "readlink into three bytes");
  checks.holds(std::string_view(few, 3) == "/ab", "gives the first three");
}

void symlink_errors(Checks& checks) {
  make_file("f");
  make_directory("d");
  checks.works(::symlink("f", "l"), "symlink");
  for (const char* each : {"f", "d", "l"})
    checks.fails(::symlink("x", each), EEXIST, fmt::format("symlink over {}", each));
  checks.fails(::symlink("x", "nothing/l"), ENOENT, "symlink in nothing");
  checks.fails(::symlink("x", "f/l"), ENOTDIR, "symlink below a file");
  checks.fails(::symlink("", "n"), {ENOENT, EINVAL}, "symlink to an empty text");
  char text[10];
  checks.fails(::readlink("f", text, sizeof text), EINVAL, "readlink of a file");
  checks.fails(::readlink("d", text, sizeof text), EINVAL, "readlink of a directory");
  checks.fails(::readlink("nothing", text, sizeof text), ENOENT, "readlink of nothing");
}

void symlinks_are_followed(Checks& checks) {
  make_directory("d");
  make_file("d/f", 0644, "content");
  checks.works(::symlink("d", "to_d"), "symlink to a directory");
  checks.works(::symlink("to_d/f", "to_f"), "symlink through a symlink");
  checks.holds(content_of("to_f") == "content", "read through two");
  checks.works(::symlink("nothing", "broken"), "symlink to nothing");
  checks.fails(::open("broken", O_RDONLY), ENOENT, "open of a broken symlink");
  checks.fails(::open("broken", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST,
               "exclusive create at a broken symlink");
  const int fd = ::open("broken", O_CREAT | O_WRONLY, 0644);
  if (checks.works(fd, "create through a broken symlink")) ::close(fd);
  checks.holds(exists("nothing"), "makes the target");
  checks.fails(::open("to_f", O_RDONLY | O_NOFOLLOW), ELOOP, "open with O_NOFOLLOW");
  checks.fails(::rmdir("to_d"), ENOTDIR, "rmdir of a symlink to a directory");
  checks.works(::unlink("to_d"), "unlink of a symlink to a directory");
  checks.holds(exists("d/f"), "leaves the directory");
}

void loops(Checks& checks) {
  checks.works(::symlink("b", "a"), "symlink");
  checks.works(::symlink("a", "b"), "symlink back");
  checks.works(::symlink("self", "self"), "symlink to itself");
  struct stat status{};
  for (const char* each : {"a", "self", "a/x", "self/x"}) {
    checks.fails(::stat(each, &status), ELOOP, fmt::format("stat {}", each));
    checks.fails(::open(each, O_RDONLY), ELOOP, fmt::format("open {}", each));
    checks.fails(::chmod(each, 0644), ELOOP, fmt::format("chmod {}", each));
    checks.fails(::truncate(each, 0), ELOOP, fmt::format("truncate {}", each));
  }
  checks.fails(::mkdir("a/x", 0755), ELOOP, "mkdir below a loop");
  checks.fails(::rename("a/x", "n"), ELOOP, "rename from below a loop");
  checks.fails(::link("self/x", "n"), ELOOP, "link from below a loop");
  checks.works(::lstat("a", &status), "lstat of a loop's link");
  checks.works(::rename("self", "other"), "rename of a loop's link");
  checks.works(::unlink("other"), "unlink of a loop's link");
}

}  // namespace

std::vector<Case> link_cases() {
  return {{"link_counts_of_files", link_counts_of_files},
          {"link_counts_of_directories", link_counts_of_directories},
          {"link_errors", link_errors},
          {"symlinks_keep_their_text", symlinks_keep_their_text},
          {"symlink_errors", symlink_errors},
          {"symlinks_are_followed", symlinks_are_followed},
          {"loops", loops}};
}

}  // namespace turbine::kernel_test
