#include "io/uring_file.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/buffer.hpp"

namespace turbine::io {
namespace {

std::unexpected<Error> fail_errno(Errc code, const char* what, const std::string& path) {
  return fail(code, "{} {}: {}", what, path, std::strerror(errno));
}

Result<> sync_directory_of(const std::string& path) {
  const auto directory = std::filesystem::absolute(path).parent_path().string();
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail_errno(Errc::io, "open directory", directory);
  const int failed = ::fsync(fd);
  ::close(fd);
  if (failed != 0) return fail_errno(Errc::io, "fsync directory", directory);
  return {};
}

Result<> check_size(DirectFile& file, const std::string& path, uint64_t wanted) {
  struct stat status{};
  if (::fstat(file.fd, &status) != 0) return fail_errno(Errc::io, "stat", path);
  if (S_ISBLK(status.st_mode)) {
    if (::ioctl(file.fd, BLKGETSIZE64, &file.size_bytes) != 0) {
      return fail_errno(Errc::io, "size of", path);
    }
  } else if (S_ISREG(status.st_mode)) {
    file.size_bytes = static_cast<uint64_t>(status.st_size);
  } else {
    return fail(Errc::invalid, "{} is neither a file nor a block device", path);
  }
  file.size_bytes -= file.size_bytes % kPageBytes;
  if (file.size_bytes < wanted || file.size_bytes == 0) {
    return fail(Errc::invalid, "{} has {} bytes, {} are needed", path, file.size_bytes, wanted);
  }
  if (wanted != 0) file.size_bytes = wanted;
  return {};
}

Result<> check_alignment(DirectFile& file, const std::string& path) {
  struct statx status{};
  if (::statx(file.fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) != 0 ||
      (status.stx_mask & STATX_DIOALIGN) == 0) {
    return {};  // an older kernel: the safe default stays
  }
  if (status.stx_dio_offset_align == 0 || status.stx_dio_offset_align > kPageBytes) {
    return fail(Errc::unsupported,
                "{}: this file system can't do O_DIRECT in units of 4096 bytes; use ext4, XFS or "
                "a block device",
                path);
  }
  file.memory_alignment = std::max<uint32_t>(1, status.stx_dio_mem_align);
  return {};
}

/// A ring holds its file, and so the lock, until the last I/O of its process has ended: a little
/// longer than the process lives.
Result<> take_lock(const DirectFile& file, const std::string& path, Duration wait) {
  constexpr auto kPollInterval = std::chrono::milliseconds(5);
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (::flock(file.fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_errno(Errc::io, "lock", path);
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(Errc::busy, "{} is in use by another process", path);
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  return {};
}

Result<> prepare_file(DirectFile& file, const std::string& path, uint64_t size_bytes, bool made) {
  if (made) {
    if (::ftruncate(file.fd, static_cast<off_t>(size_bytes)) != 0) {
      return fail_errno(Errc::io, "set size of", path);
    }
    if (::fsync(file.fd) != 0) return fail_errno(Errc::io, "fsync", path);
    TRY(sync_directory_of(path));
  }
  TRY(check_size(file, path, size_bytes));
  return check_alignment(file, path);
}

}  // namespace

Result<DirectFile> open_direct(const std::string& path, uint64_t size_bytes, bool create,
                               Duration lock_wait) {
  DirectFile file;
  bool made = false;
  file.fd = ::open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
  if (file.fd < 0 && errno == ENOENT && create) {
    made = true;
    file.fd = ::open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC | O_CREAT | O_EXCL, 0600);
  }
  if (file.fd < 0) {
    if (errno == ENOENT) return fail(Errc::not_found, "{} does not exist", path);
    if (errno == EINVAL) {
      return fail(Errc::unsupported,
                  "{}: this file system has no O_DIRECT; use ext4, XFS or a block device", path);
    }
    return fail_errno(errno == EACCES ? Errc::denied : Errc::io, "open", path);
  }
  Result<> ready = take_lock(file, path, lock_wait);
  if (ready.ok()) ready = prepare_file(file, path, size_bytes, made);
  if (!ready.ok()) {
    ::close(file.fd);
    if (made) ::unlink(path.c_str());
    return fail(std::move(ready).error());
  }
  return file;
}

}  // namespace turbine::io
