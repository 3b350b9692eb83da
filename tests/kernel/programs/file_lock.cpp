// Locks of one file, as programs take them.
//
//   file_lock hold FILE --until=PATH [--flock] [--shared] [--try] [--begin=N] [--length=N]
//                  [--release=unlock|close]
//   file_lock count FILE [--increments=N]
//
// hold: prints its process id, "asks", and "holds" or (--try) "refused". Releases the lock when
// PATH is there, prints "released", and lives until PATH is gone, so that nothing but the release
// frees the lock. count: adds 1 to the number in FILE, each time under an exclusive lock, beside
// others that do; prints the longest time that it waited for the lock.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <thread>

#include "check.hpp"

namespace {

using namespace turbine::kernel_test;
using SteadyClock = std::chrono::steady_clock;

constexpr uint64_t kIncrements = 20;

/// What is held of one file: bytes by fcntl, or all of it by flock.
class FileLock {
 public:
  FileLock(const char* path, bool whole, uint64_t begin, uint64_t length)
      : path_(path), whole_(whole), begin_(begin), length_(length) {
    fd_ = ::open(path, O_CREAT | O_RDWR, 0644);
    if (fd_ < 0) fail_errno("open {}", path);
  }

  /// False: `wait` is false, and somebody else's is in the way.
  bool acquire(bool shared, bool wait) {
    if (whole_) return done(::flock(fd_, (shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB)));
    return done(bytes(shared ? F_RDLCK : F_WRLCK, wait ? F_SETLKW : F_SETLK));
  }
  void release() {
    if (!done(whole_ ? ::flock(fd_, LOCK_UN) : bytes(F_UNLCK, F_SETLK))) fail("unlock {}", path_);
  }
  void close() {
    if (::close(fd_) != 0) fail_errno("close {}", path_);
  }
  int fd() const { return fd_; }

 private:
  int bytes(int16_t type, int command) {
    struct flock span{};
    span.l_type = type;
    span.l_whence = SEEK_SET;
    span.l_start = static_cast<off_t>(begin_);
    span.l_len = static_cast<off_t>(length_);
    return ::fcntl(fd_, command, &span);
  }
  bool done(int result) {
    if (result == 0) return true;
    if (errno != EAGAIN && errno != EACCES) fail_errno("lock {}", path_);
    return false;
  }

  std::string path_;
  bool whole_;
  uint64_t begin_, length_;
  int fd_ = -1;
};

void wait_until(const std::string& path, bool there) {
  while ((::access(path.c_str(), F_OK) == 0) != there)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

void hold(const char* path, int argc, char** argv) {
  const std::string until(text_option(argc, argv, "until"));
  if (until.empty()) fail("--until is missing");
  FileLock lock(path, !text_option(argc, argv, "flock").empty(),
                number_option(argc, argv, "begin", 0), number_option(argc, argv, "length", 0));
  say("{}", ::getpid());
  say("asks");
  const bool shared = !text_option(argc, argv, "shared").empty();
  const bool wait = text_option(argc, argv, "try").empty();
  if (!lock.acquire(shared, wait)) {
    say("refused");
    return;
  }
  say("holds");
  wait_until(until, true);
  if (text_option(argc, argv, "release") == "close") {
    lock.close();
  } else {
    lock.release();
  }
  say("released");
  wait_until(until, false);
}

void count(const char* path, int argc, char** argv) {
  const uint64_t increments = number_option(argc, argv, "increments", kIncrements);
  FileLock lock(path, false, 0, 0);
  SteadyClock::duration longest{};
  for (uint64_t i = 0; i < increments; ++i) {
    const auto asked = SteadyClock::now();
    if (!lock.acquire(false, true)) fail("a lock that was waited for is refused");
    longest = std::max(longest, SteadyClock::now() - asked);
    uint64_t number = 0;
    const ssize_t size = ::pread(lock.fd(), &number, sizeof number, 0);
    if (size != 0 && size != sizeof number) fail_errno("read {}: {} bytes", path, size);
    ++number;
    if (::pwrite(lock.fd(), &number, sizeof number, 0) != sizeof number)
      fail_errno("write {}", path);
    lock.release();
    say("counted {}", number);
  }
  say("waited at most {} ms",
      std::chrono::duration_cast<std::chrono::milliseconds>(longest).count());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 2 ? argv[1] : "";
  if (what == "hold") {
    hold(argv[2], argc, argv);
  } else if (what == "count") {
    count(argv[2], argc, argv);
  } else {
    fail("file_lock hold|count FILE [OPTION...]");
  }
  return 0;
}
