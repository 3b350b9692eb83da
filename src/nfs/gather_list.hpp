// GatherList: bytes on their way to a socket.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.hpp"

namespace turbine::nfs {

/// Encoded bytes in chunks and payload buffers between them, in the order in which they are sent.
/// Payload is never copied; chunks are used again when all was sent. One thread.
class GatherList {
 public:
  /// The largest extend().
  static constexpr size_t kExtendBytesMax = kPageBytes;

  /// Room for `size` more bytes, to be filled in at once; it stays where it is until it was sent.
  std::byte* extend(size_t size) {
    if (size <= room_) [[likely]] {
      std::byte* at = next_;
      next_ += size;
      room_ -= size;
      appended_ += size;
      return at;
    }
    return extend_anew(size);
  }
  void append(const Buffer& payload);

  /// Bytes ever put in, and of these the ones that were sent.
  uint64_t appended() const { return appended_; }
  uint64_t sent() const { return sent_; }
  bool empty() const { return appended_ == sent_; }

  /// The first of what is to be sent, as many pieces as fit into `into`; returns how many.
  size_t gather(std::span<boost::asio::const_buffer> into);
  /// The first `bytes` were sent.
  void consume(size_t bytes);
  /// Takes all that is to be sent out, as one string.
  std::string take_text();
  /// Drops all.
  void clear();

 private:
  std::byte* extend_anew(size_t size);
  /// Gives the last chunk the size of what was put into it.
  void settle();

  std::vector<Buffer> parts_;
  size_t first_ = 0;         // of parts_: those before are sent
  size_t first_offset_ = 0;  // bytes of that part that are sent
  size_t room_ = 0;          // left in the last part's chunk; 0: full, or the last part is payload
  std::byte* next_ = nullptr;  // in that chunk; null: it is payload
  Buffer spare_;               // the rest of the chunk before a payload
  size_t chunk_bytes_ = kPageBytes;
  uint64_t appended_ = 0, sent_ = 0;
};

}  // namespace turbine::nfs
