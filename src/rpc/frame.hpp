// The frame: what travels between two processes. docs/format/frame.md has the byte layout.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "rpc/rpc.hpp"

namespace turbine::rpc {

inline constexpr size_t kFrameHeaderBytes = 72;
inline constexpr uint32_t kFrameMagic = 0x31425254;  // "TRB1"
inline constexpr uint8_t kFrameVersion = 1;

enum FrameFlag : uint8_t {
  kFrameReply = 1,
  kFrameError = 2,            // reply whose body is an ErrorReply
  kFramePayloadChecksum = 4,  // payload_checksum is set
};
inline constexpr uint8_t kFrameFlagsKnown = 7;

struct FrameHeader {
  uint8_t flags = 0;
  uint16_t type = 0;
  uint64_t call = 0;  // pairs a reply with its request on one connection
  RequestId id{};
  uint32_t age_ms = 0;
  uint32_t body_bytes = 0;
  uint32_t payload_bytes = 0;
  Epoch epoch{};
  uint64_t payload_checksum = 0;
};

using EncodedHeader = std::array<std::byte, kFrameHeaderBytes>;

/// Lengths come from `body` and `payload`. The checksum of header and body is always set; that of
/// the payload on TCP without TLS only: a Unix socket moves bytes inside one kernel, TLS has its
/// own, and shards carry theirs from the encoder to the disk, so a second pass over them would only
/// cost CPU.
EncodedHeader encode_header(FrameHeader header, std::string_view body, ByteView payload,
                            bool payload_checksum);

/// Errc::corrupt for a wrong magic, version, flag or reserved bits; Errc::too_large when body and
/// payload together exceed `frame_bytes_max`. The checksum is checked with the body.
Result<FrameHeader> decode_header(ByteView bytes, size_t frame_bytes_max);
/// `bytes`: the encoded header. Errc::corrupt.
Result<> verify_checksum(ByteView bytes, std::string_view body);

struct Frame {
  FrameHeader header;
  std::string body;
  Buffer payload;  // starts 4 KiB-aligned: it may go to a device with O_DIRECT as it is
};

std::string encode_error(const Error& error);
/// The Error in the body of a kFrameError reply; an unreadable one gives Errc::corrupt.
Error decode_error(std::string_view body);

/// Cuts a byte stream into frames without I/O of its own. Read into prepare(), tell commit(), then
/// take frames with next() until it has none. Small frames come through a read buffer, many per
/// read; the payload of a large one is read straight into its own Buffer. After an error the stream
/// is out of step and the reader must not be used again.
class FrameReader {
 public:
  explicit FrameReader(size_t frame_bytes_max);

  using Targets = std::array<MutableByteView, 3>;
  /// Where the next bytes go, in order; unused targets are empty, at least one is not.
  Targets prepare();
  /// `count` bytes were read into the targets of the last prepare().
  void commit(size_t count);
  /// A whole frame, or nullopt when more bytes are needed. Errc::corrupt, Errc::too_large.
  Result<std::optional<Frame>> next();

 private:
  void fill_from_buffer();
  bool complete() const;

  static constexpr size_t kReadBufferBytes = size_t{64} * 1024;
  static constexpr size_t kReadAheadBytesMin = 1024;
  static constexpr size_t kLargePayloadBytes = size_t{16} * 1024;

  const size_t frame_bytes_max_;
  std::vector<std::byte> buffer_;
  size_t begin_ = 0, end_ = 0;
  // After a large payload read only a little ahead: what is read ahead of a payload is copied.
  size_t read_ahead_ = kReadBufferBytes;
  bool have_header_ = false;
  EncodedHeader raw_header_{};
  Frame frame_;
  size_t body_filled_ = 0, payload_filled_ = 0;
};

}  // namespace turbine::rpc
