// A file with a model of its content in memory: each operation does both and compares.
#pragma once

#include <string>
#include <vector>

#include "check.hpp"

namespace turbine::kernel_test {

/// Each byte of the model knows which operation wrote it, so that a difference says whose bytes are
/// missing and whose are there instead. Not for two processes at once. Any error of a call, and any
/// difference, ends the process with the log of operations.
class CheckedFile {
 public:
  struct Options {
    uint64_t bytes_max = 1 << 20;
    bool direct = false;  // O_DIRECT, and no mappings
    bool sync = false;    // O_SYNC
  };

  /// Creates `path`, or empties it.
  CheckedFile(std::string path, Options options);
  ~CheckedFile();
  CheckedFile(const CheckedFile&) = delete;
  CheckedFile& operator=(const CheckedFile&) = delete;

  /// One operation at random.
  void step(Dice& dice);
  /// Flushes, lets go of all cached pages and compares all bytes and the size with the model.
  void verify();

 private:
  struct Range {
    uint64_t offset, bytes;
  };
  Range range_inside(Dice& dice) const;
  Range range_anywhere(Dice& dice) const;

  void read(Range range);
  void write(Range range);
  void append(Dice& dice);
  void truncate(uint64_t bytes);
  void read_mapped(Range range);
  void write_mapped(Range range);
  void flush();
  void reopen();
  void forget_pages();
  void check_size();

  void open(int flags);
  void note(std::string what);
  void change(Range range);
  void compare(const std::vector<uint8_t>& found, uint64_t offset, std::string_view how);
  [[noreturn]] void fail_with_log(const std::string& what);
  [[noreturn]] void fail_call(std::string_view call);
  /// What operation `number` writes at `offset`.
  static uint8_t pattern(uint32_t number, uint64_t offset);

  std::string path_;
  Options options_;
  int fd_ = -1;
  uint64_t bytes_ = 0;            // the file's size
  std::vector<uint8_t> content_;  // bytes_max of them
  std::vector<uint32_t> writer_;  // the operation that wrote each byte; 0: a hole
  std::vector<std::string> log_;  // the operations so far; operation n is log_[n - 1]
};

}  // namespace turbine::kernel_test
