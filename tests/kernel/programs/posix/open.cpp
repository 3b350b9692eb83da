// open and its flags, truncate, writes behind the end, files that are removed while they are open.
#include <sys/statvfs.h>

#include "checks.hpp"

namespace turbine::kernel_test {
namespace {

void exclusive_create(Checks& checks) {
  make_file("f", 0644, "content");
  make_directory("d");
  checks.works(::symlink("f", "l"), "symlink");
  checks.works(::mkfifo("p", 0644), "mkfifo");
  for (const char* each : {"f", "d", "l", "p"}) {
    checks.fails(::open(each, O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST,
                 fmt::format("exclusive create over {}", each));
  }
  checks.holds(content_of("f") == "content", "the file is as it was");
  const int fd = ::open("n", O_CREAT | O_EXCL | O_RDWR, 0462);
  checks.works(fd, "exclusive create");
  checks.mode("n", 0462, "its mode");
  const struct stat status = status_of("n");
  checks.equal(static_cast<uint64_t>(status.st_size), 0, "its size");
  checks.holds(status.st_mtim.tv_sec > 1'600'000'000 && status.st_atim.tv_sec > 1'600'000'000,
               "its times are times, not a verifier");
  ::close(fd);
}

void open_errors(Checks& checks) {
  make_file("f");
  make_directory("d");
  checks.fails(::open("nothing", O_RDONLY), ENOENT, "of nothing");
  checks.fails(::open("nothing/f", O_CREAT | O_WRONLY, 0644), ENOENT, "create in nothing");
  checks.fails(::open("f/x", O_RDONLY), ENOTDIR, "below a file");
  checks.fails(::open("f/x", O_CREAT | O_WRONLY, 0644), ENOTDIR, "create below a file");
  checks.fails(::open("d", O_WRONLY), EISDIR, "a directory to write");
  checks.fails(::open("d", O_RDWR), EISDIR, "a directory to read and write");
  checks.fails(::open("d", O_CREAT | O_RDONLY, 0644), EISDIR, "a directory to create");
  checks.fails(::open("f", O_RDONLY | O_DIRECTORY), ENOTDIR, "a file as a directory");
  const int reads = ::open("f", O_RDONLY), writes = ::open("f", O_WRONLY);
  char byte = 'x';
  checks.fails(::write(reads, &byte, 1), EBADF, "write to what is open to read");
  checks.fails(::read(writes, &byte, 1), EBADF, "read from what is open to write");
  checks.fails(::ftruncate(reads, 0), {EINVAL, EBADF}, "truncate what is open to read");
  ::close(reads);
  ::close(writes);
}

void create_leaves_what_is_there(Checks& checks) {
  make_file("f", 0600, "content");
  const int fd = ::open("f", O_CREAT | O_RDWR, 0777);
  checks.works(fd, "create of what is there");
  checks.mode("f", 0600, "the mode stays");
  ::close(fd);
  checks.holds(content_of("f") == "content", "the content stays");
  const int empties = ::open("f", O_CREAT | O_TRUNC | O_RDWR, 0777);
  checks.works(empties, "create with O_TRUNC");
  ::close(empties);
  checks.equal(static_cast<uint64_t>(status_of("f").st_size), 0, "the size");
  checks.mode("f", 0600, "the mode stays with O_TRUNC");
}

void appending(Checks& checks) {
  const int first = ::open("f", O_CREAT | O_WRONLY | O_APPEND, 0644);
  const int second = ::open("f", O_WRONLY | O_APPEND);
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    const std::string line = fmt::format("line {}\n", i);
    expected += line;
    checks.equal(static_cast<uint64_t>(::write(i % 2 ? first : second, line.data(), line.size())),
                 line.size(), "append");
  }
  ::close(first);
  ::close(second);
  checks.holds(content_of("f") == expected, "all lines, in order");
}

void truncation(Checks& checks) {
  make_file("f", 0644, "0123456789");
  checks.works(::truncate("f", 4), "to less");
  checks.holds(content_of("f") == "0123", "the beginning is left");
  checks.works(::truncate("f", 8), "to more");
  checks.holds(content_of("f") == std::string("0123\0\0\0\0", 8), "zeros are added");
  checks.works(::truncate("f", 0), "to nothing");
  checks.equal(static_cast<uint64_t>(status_of("f").st_size), 0, "the size");
  checks.works(::truncate("f", 5'000'000'000), "to 5 GB");
  checks.equal(static_cast<uint64_t>(status_of("f").st_size), 5'000'000'000, "the size");
  checks.fails(::truncate("f", -1), EINVAL, "to less than nothing");
  make_directory("d");
  checks.fails(::truncate("d", 0), EISDIR, "of a directory");
  checks.fails(::truncate("nothing", 0), ENOENT, "of nothing");
  checks.fails(::truncate("f/x", 0), ENOTDIR, "below a file");
  checks.works(::truncate("f", 0), "to nothing again");
}

void writing_behind_the_end(Checks& checks) {
  const int fd = ::open("f", O_CREAT | O_RDWR, 0644);
  checks.equal(static_cast<uint64_t>(::pwrite(fd, "end", 3, 10000)), 3, "write at 10000");
  checks.works(::fsync(fd), "fsync");
  checks.equal(static_cast<uint64_t>(status_of("f").st_size), 10003, "the size");
  std::string content(10003, 'x');
  checks.equal(static_cast<uint64_t>(::pread(fd, content.data(), content.size(), 0)), 10003,
               "read");
  checks.holds(content == std::string(10000, '\0') + "end", "zeros, then what was written");
  char byte = 0;
  checks.equal(static_cast<uint64_t>(::pread(fd, &byte, 1, 10003)), 0, "read at the end");
  checks.equal(static_cast<uint64_t>(::pread(fd, &byte, 1, 99999)), 0, "read behind the end");
  checks.equal(static_cast<uint64_t>(::lseek(fd, 0, SEEK_END)), 10003, "SEEK_END");
  ::close(fd);
}

void removed_while_open(Checks& checks) {
  make_file("f", 0644, "content");
  const int fd = ::open("f", O_RDWR);
  checks.works(::unlink("f"), "unlink");
  checks.holds(!exists("f"), "the name is gone");
  char text[32] = {};
  checks.equal(static_cast<uint64_t>(::pread(fd, text, sizeof text, 0)), 7, "read");
  checks.equal(static_cast<uint64_t>(::pwrite(fd, "CON", 3, 0)), 3, "write");
  checks.works(::fsync(fd), "fsync");
  checks.works(::ftruncate(fd, 5), "ftruncate");
  checks.works(::fchmod(fd, 0600), "fchmod");
  make_file("f", 0644, "another");
  std::string found(32, '\0');
  found.resize(static_cast<size_t>(std::max<ssize_t>(::pread(fd, found.data(), 32, 0), 0)));
  checks.holds(found == "CONte", "the removed file has its own content");
  ::close(fd);
  checks.holds(content_of("f") == "another", "the new file has its own");
  checks.holds(wait_until([] { return names_in(".").size() == 1; }), "nothing else is left");
}

void the_file_system(Checks& checks) {
  struct statvfs figures{};
  checks.works(::statvfs(".", &figures), "statvfs");
  checks.equal(figures.f_namemax, 255, "f_namemax");
  checks.holds(figures.f_blocks > 0 && figures.f_bfree <= figures.f_blocks &&
                   figures.f_bavail <= figures.f_bfree,
               "blocks");
  checks.holds(figures.f_ffree <= figures.f_files, "inodes");
  make_directory("a");
  make_directory("a/b");
  checks.equal(status_of("a/b").st_dev, status_of(".").st_dev, "one device");
  checks.holds(status_of("a/b").st_ino != status_of("a").st_ino, "inode numbers differ");
  checks.equal(status_of("a/b/..").st_ino, status_of("a").st_ino, "..");
  checks.equal(status_of("a/b/../..").st_ino, status_of(".").st_ino, ".. twice");
}

}  // namespace

std::vector<Case> open_cases() {
  return {{"exclusive_create", exclusive_create},
          {"open_errors", open_errors},
          {"create_leaves_what_is_there", create_leaves_what_is_there},
          {"appending", appending},
          {"truncation", truncation},
          {"writing_behind_the_end", writing_behind_the_end},
          {"removed_while_open", removed_while_open},
          {"the_file_system", the_file_system}};
}

}  // namespace turbine::kernel_test
