// Record marking (RFC 5531 section 11): messages out of a byte stream.
#pragma once

#include <cstdint>
#include <optional>

#include "base/buffer.hpp"
#include "base/result.hpp"

namespace turbine::nfs {

/// One message. Its bytes are those of `head`, then those of `payload`.
struct Record {
  Buffer head;
  Buffer payload;       // large opaque data at the record's end with its padding; else empty
  size_t reserved = 0;  // bytes that were granted for it
};

struct RecordLimits {
  size_t record_bytes_max = (size_t{1} << 20) + 4096;
  uint32_t fragments_max = 16;
};

/// Finds large opaque data that ends a record, in the record's first bytes: where it begins (behind
/// its length). Empty when there is none, or more bytes are needed than are given.
using PayloadFinder = std::optional<size_t> (*)(ByteView prefix);

/// Takes the bytes of one connection and gives records. What fits into the input window is not
/// copied; of large payload only what came along with its record's head is, the rest is received at
/// its place, in one buffer. Memory: the window (4 or 32 KiB), and one record beyond it, for which
/// wanted() asks first.
///
///   for (;;) {
///     while (auto record = next()) …;
///     if (wanted() > 0) { …wait until there is so much…; grant(); continue; }
///     received(read(room()));
///   }
class RecordReader {
 public:
  RecordReader(RecordLimits limits, PayloadFinder find_payload)
      : limits_(limits), find_payload_(find_payload) {}

  /// The next whole record; empty: more bytes are needed. Errc::invalid: too long, too many
  /// fragments, or an empty fragment that is not the last; the connection can't be read on.
  Result<std::optional<Record>> next();

  /// Bytes of memory without which it can't go on; 0: none.
  size_t wanted() const { return wanted_; }
  void grant();

  /// Where the next bytes go; never empty. Not while wanted().
  MutableByteView room();
  void received(size_t bytes);

  /// A record has begun and is not whole.
  bool partial() const { return assembling_ || begin_ != end_; }
  /// Granted for the record that has begun.
  size_t reserved() const { return record_.reserved; }

 private:
  struct Mark {
    size_t size;
    bool last;
  };
  Result<Mark> check_mark();
  size_t available() const { return end_ - begin_; }
  const std::byte* input() const { return window_.data() + begin_; }
  void begin_fragment(Mark mark);
  /// Moves input into the body; true when the record is whole.
  Result<bool> assemble();
  std::optional<Record> finish();

  RecordLimits limits_;
  PayloadFinder find_payload_;

  Buffer window_;  // bytes [begin_, end_) were received and not yet taken
  size_t begin_ = 0, end_ = 0;
  size_t last_read_bytes_ = 0;

  // A record that is put together outside the window.
  bool assembling_ = false;
  Record record_;  // its head, when the body is payload only
  Buffer body_;    // its first body_used_ bytes were received
  size_t body_used_ = 0;
  size_t fragment_left_ = 0;
  bool last_fragment_ = false;
  uint32_t fragments_ = 0;
  size_t wanted_ = 0;
};

}  // namespace turbine::nfs
