#include "checked_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace turbine::kernel_test {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr size_t kLogLinesShown = 300;
constexpr uint64_t kAlignment = 4096;  // of buffers; O_DIRECT on NFS needs none of offsets

struct Free {
  void operator()(uint8_t* memory) const { std::free(memory); }
};
using AlignedBytes = std::unique_ptr<uint8_t[], Free>;

AlignedBytes aligned_bytes(uint64_t bytes) {
  const uint64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return AlignedBytes(static_cast<uint8_t*>(std::aligned_alloc(kAlignment, rounded)));
}

}  // namespace

CheckedFile::CheckedFile(std::string path, Options options)
    : path_(std::move(path)),
      options_(options),
      content_(options.bytes_max),
      writer_(options.bytes_max) {
  open(O_CREAT | O_TRUNC);
}

CheckedFile::~CheckedFile() {
  if (fd_ >= 0) ::close(fd_);
}

void CheckedFile::open(int flags) {
  if (options_.direct) flags |= O_DIRECT;
  if (options_.sync) flags |= O_SYNC;
  fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | flags, 0644);
  if (fd_ < 0) fail_call("open");
}

void CheckedFile::step(Dice& dice) {
  const uint64_t kind = below(dice, 100);
  if (kind < 25)
    write(range_anywhere(dice));
  else if (kind < 45)
    read(range_inside(dice));
  else if (kind < 55)
    append(dice);
  else if (kind < 63)
    truncate(below(dice, options_.bytes_max + 1));
  else if (kind < 65)
    truncate(0);
  else if (kind < 75 && !options_.direct)
    write_mapped(range_inside(dice));
  else if (kind < 83 && !options_.direct)
    read_mapped(range_inside(dice));
  else if (kind < 86)
    flush();
  else if (kind < 90)
    reopen();
  else if (kind < 95)
    forget_pages();
  else
    check_size();
}

void CheckedFile::verify() {
  note("verify");
  flush();
  forget_pages();
  reopen();
  check_size();
  read({0, bytes_});
}

// Sizes of many magnitudes: single bytes, pages, whole stripes.
CheckedFile::Range CheckedFile::range_anywhere(Dice& dice) const {
  const uint64_t magnitude = below(dice, 20) + 1;  // up to 1 MiB
  uint64_t bytes = std::min(below(dice, 1ull << magnitude) + 1, options_.bytes_max);
  uint64_t offset = below(dice, options_.bytes_max - bytes + 1);
  if (below(dice, 4) == 0) {
    offset = offset / kPageBytes * kPageBytes;
    if (bytes > kPageBytes) bytes = bytes / kPageBytes * kPageBytes;
  }
  return {offset, bytes};
}

CheckedFile::Range CheckedFile::range_inside(Dice& dice) const {
  if (bytes_ == 0) return {0, 0};
  const Range range = range_anywhere(dice);
  const uint64_t offset = range.offset % bytes_;
  return {offset, std::min(range.bytes, bytes_ - offset)};
}

void CheckedFile::read(Range range) {
  note(fmt::format("read {}+{}", range.offset, range.bytes));
  // One byte more than there is: reading past the end must end at the end.
  const uint64_t asked = range.offset + range.bytes == bytes_ ? range.bytes + 1 : range.bytes;
  const AlignedBytes buffer = aligned_bytes(asked + 1);
  uint64_t got = 0;
  while (got < asked) {
    const ssize_t count =
        ::pread(fd_, buffer.get() + got, asked - got, static_cast<off_t>(range.offset + got));
    if (count < 0) fail_call("pread");
    if (count == 0) break;
    got += static_cast<uint64_t>(count);
  }
  if (got != range.bytes)
    fail_with_log(fmt::format("read of {} bytes at {} gave {} (file of {} bytes)", range.bytes,
                              range.offset, got, bytes_));
  compare({buffer.get(), buffer.get() + got}, range.offset, "read");
}

void CheckedFile::write(Range range) {
  note(fmt::format("write {}+{}", range.offset, range.bytes));
  change(range);
  const AlignedBytes buffer = aligned_bytes(range.bytes);
  std::copy_n(content_.data() + range.offset, range.bytes, buffer.get());
  uint64_t done = 0;
  while (done < range.bytes) {
    const ssize_t count = ::pwrite(fd_, buffer.get() + done, range.bytes - done,
                                   static_cast<off_t>(range.offset + done));
    if (count <= 0) fail_call("pwrite");
    done += static_cast<uint64_t>(count);
  }
}

void CheckedFile::append(Dice& dice) {
  const uint64_t room = options_.bytes_max - bytes_;
  if (room == 0) return truncate(below(dice, options_.bytes_max));
  write({bytes_, std::min(range_anywhere(dice).bytes, room)});
}

void CheckedFile::truncate(uint64_t bytes) {
  note(fmt::format("truncate {} (was {})", bytes, bytes_));
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) fail_call("ftruncate");
  const auto [first, last] = std::minmax(bytes, bytes_);
  std::fill(content_.begin() + static_cast<ptrdiff_t>(first),
            content_.begin() + static_cast<ptrdiff_t>(last), uint8_t{0});
  std::fill(writer_.begin() + static_cast<ptrdiff_t>(first),
            writer_.begin() + static_cast<ptrdiff_t>(last), 0u);
  bytes_ = bytes;
  check_size();
}

void CheckedFile::read_mapped(Range range) {
  if (range.bytes == 0) return;
  note(fmt::format("read mapped {}+{}", range.offset, range.bytes));
  const uint64_t begin = range.offset / kPageBytes * kPageBytes;
  const uint64_t length = range.offset + range.bytes - begin;
  void* mapped = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd_, static_cast<off_t>(begin));
  if (mapped == MAP_FAILED) fail_call("mmap");
  const auto* bytes = static_cast<const uint8_t*>(mapped) + (range.offset - begin);
  compare({bytes, bytes + range.bytes}, range.offset, "mapped read");
  ::munmap(mapped, length);
}

void CheckedFile::write_mapped(Range range) {
  if (range.bytes == 0) return;
  note(fmt::format("write mapped {}+{}", range.offset, range.bytes));
  const uint64_t begin = range.offset / kPageBytes * kPageBytes;
  const uint64_t length = range.offset + range.bytes - begin;
  void* mapped =
      ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, static_cast<off_t>(begin));
  if (mapped == MAP_FAILED) fail_call("mmap");
  change(range);
  std::copy_n(content_.data() + range.offset, range.bytes,
              static_cast<uint8_t*>(mapped) + (range.offset - begin));
  if (::msync(mapped, length, MS_SYNC) != 0) fail_call("msync");
  ::munmap(mapped, length);
}

void CheckedFile::flush() {
  note("fsync");
  if (::fsync(fd_) != 0) fail_call("fsync");
}

void CheckedFile::reopen() {
  note("close and open");
  if (::close(fd_) != 0) fail_call("close");
  open(0);
}

void CheckedFile::forget_pages() {
  note("forget cached pages");
  if (::fsync(fd_) != 0) fail_call("fsync");
  if (::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED) != 0) fail_call("posix_fadvise");
}

void CheckedFile::check_size() {
  struct stat state{};
  if (::fstat(fd_, &state) != 0) fail_call("fstat");
  if (static_cast<uint64_t>(state.st_size) != bytes_)
    fail_with_log(fmt::format("the size is {} instead of {}", state.st_size, bytes_));
  struct stat named{};
  if (::stat(path_.c_str(), &named) != 0) fail_call("stat");
  if (named.st_ino != state.st_ino || named.st_size != state.st_size)
    fail_with_log(fmt::format("stat says inode {} with {} bytes, fstat {} with {}", named.st_ino,
                              named.st_size, state.st_ino, state.st_size));
}

void CheckedFile::note(std::string what) {
  log_.push_back(std::move(what));
}

uint8_t CheckedFile::pattern(uint32_t number, uint64_t offset) {
  uint64_t mixed = (number * 0x9e3779b97f4a7c15ull) ^ (offset * 0xc2b2ae3d27d4eb4full);
  mixed ^= mixed >> 29;
  return static_cast<uint8_t>(mixed * 0x165667b19e3779f9ull >> 56);
}

void CheckedFile::change(Range range) {
  const auto number = static_cast<uint32_t>(log_.size());
  for (uint64_t at = range.offset; at < range.offset + range.bytes; ++at) {
    content_[at] = pattern(number, at);
    writer_[at] = number;
  }
  bytes_ = std::max(bytes_, range.offset + range.bytes);
}

void CheckedFile::compare(const std::vector<uint8_t>& found, uint64_t offset,
                          std::string_view how) {
  const auto* expected = content_.data() + offset;
  const auto first = std::mismatch(found.begin(), found.end(), expected).first;
  if (first == found.end()) return;
  const auto begin = static_cast<uint64_t>(first - found.begin());
  uint64_t wrong = 0, last = begin;
  for (uint64_t i = begin; i < found.size(); ++i) {
    if (found[i] == expected[i]) continue;
    ++wrong;
    last = i;
  }
  std::string whose = "nobody's";
  const uint64_t shown = std::min<uint64_t>(found.size() - begin, 8);
  for (uint32_t number = 0; number <= log_.size(); ++number) {
    bool same = shown >= 4 || number == 0;
    for (uint64_t i = begin; same && i < begin + shown; ++i)
      same = found[i] == (number ? pattern(number, offset + i) : 0);
    if (same) whose = number ? fmt::format("those of operation {}", number) : "zero";
  }
  fail_with_log(fmt::format(
      "{}: {} bytes differ between {} and {}; expected there are bytes of operation {} (0: a "
      "hole), found are {}",
      how, wrong, offset + begin, offset + last, writer_[offset + begin], whose));
}

void CheckedFile::fail_call(std::string_view call) {
  fail_with_log(fmt::format("{}: {}", call, std::strerror(errno)));
}

void CheckedFile::fail_with_log(const std::string& what) {
  const size_t begin = log_.size() > kLogLinesShown ? log_.size() - kLogLinesShown : 0;
  say("the log of {}, {} earlier operations left out:", path_, begin);
  for (size_t i = begin; i < log_.size(); ++i) say("  {:6} {}", i + 1, log_[i]);
  fail("{}, operation {}: {}", path_, log_.size(), what);
}

}  // namespace turbine::kernel_test
