#include "rpc/frame.hpp"

#include <algorithm>

#include "base/byte_codec.hpp"
#include "base/hash.hpp"
#include "base/utf8.hpp"
#include "proto/rpc.pb.h"

namespace turbine::rpc {
namespace {

constexpr size_t kChecksumOffset = 64;
constexpr uint64_t kPayloadSeed = 0x7061796C6F616431;  // "payload1"

uint64_t checksum(ByteView header, std::string_view body) {
  return hash64(body, hash64(header.first(kChecksumOffset)));
}

/// Names in errors are any bytes; what is not ASCII becomes \xff.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  return out;
}

}  // namespace

EncodedHeader encode_header(FrameHeader header, std::string_view body, ByteView payload,
                            bool payload_checksum) {
  EncodedHeader out{};
  header.payload_checksum = 0;
  if (payload_checksum && !payload.empty()) {
    header.flags |= kFramePayloadChecksum;
    header.payload_checksum = hash64(payload, kPayloadSeed);
  }
  store_le(&out[0], kFrameMagic);
  store_le(&out[4], kFrameVersion);
  store_le(&out[5], header.flags);
  store_le(&out[6], header.type);
  store_le(&out[8], header.call);
  store_le(&out[16], header.id.session.value);
  store_le(&out[24], header.id.sequence);
  store_le(&out[32], header.age_ms);
  store_le(&out[36], static_cast<uint32_t>(body.size()));
  store_le(&out[40], static_cast<uint32_t>(payload.size()));
  store_le(&out[44], uint32_t{0});
  store_le(&out[48], header.epoch.value);
  store_le(&out[56], header.payload_checksum);
  store_le(&out[kChecksumOffset], checksum(out, body));
  return out;
}

Result<FrameHeader> decode_header(ByteView bytes, size_t frame_bytes_max) {
  if (bytes.size() < kFrameHeaderBytes) return fail(Errc::corrupt, "frame header is cut short");
  if (load_le<uint32_t>(&bytes[0]) != kFrameMagic) {
    return fail(Errc::corrupt, "no frame magic: the peer does not speak this protocol");
  }
  if (const auto version = load_le<uint8_t>(&bytes[4]); version != kFrameVersion) {
    return fail(Errc::corrupt, "frame version {} is not known here ({})", version, kFrameVersion);
  }
  FrameHeader header;
  header.flags = load_le<uint8_t>(&bytes[5]);
  header.type = load_le<uint16_t>(&bytes[6]);
  header.call = load_le<uint64_t>(&bytes[8]);
  header.id.session = SessionId(load_le<uint64_t>(&bytes[16]));
  header.id.sequence = load_le<uint64_t>(&bytes[24]);
  header.age_ms = load_le<uint32_t>(&bytes[32]);
  header.body_bytes = load_le<uint32_t>(&bytes[36]);
  header.payload_bytes = load_le<uint32_t>(&bytes[40]);
  header.epoch = Epoch(load_le<uint64_t>(&bytes[48]));
  header.payload_checksum = load_le<uint64_t>(&bytes[56]);
  if ((header.flags & ~kFrameFlagsKnown) != 0 || load_le<uint32_t>(&bytes[44]) != 0) {
    return fail(Errc::corrupt, "frame has unknown flags {:#x} or reserved bits", header.flags);
  }
  if (uint64_t{header.body_bytes} + header.payload_bytes > frame_bytes_max) {
    return fail(Errc::too_large, "frame of {} + {} bytes is larger than {}", header.body_bytes,
                header.payload_bytes, frame_bytes_max);
  }
  return header;
}

Result<> verify_checksum(ByteView bytes, std::string_view body) {
  if (load_le<uint64_t>(&bytes[kChecksumOffset]) != checksum(bytes, body)) {
    return fail(Errc::corrupt, "checksum of frame header and body does not match");
  }
  return {};
}

std::string encode_error(const Error& error) {
  proto::ErrorReply reply;
  reply.set_error_code(static_cast<int>(error.code));
  reply.set_context(is_valid_utf8(error.context) ? error.context : escaped(error.context));
  return reply.SerializeAsString();
}

Error decode_error(std::string_view body) {
  proto::ErrorReply reply;
  constexpr int kLast = static_cast<int>(Errc::too_many_links);
  if (!reply.ParseFromArray(body.data(), static_cast<int>(body.size())) ||
      reply.error_code() <= 0 || reply.error_code() > kLast) {
    return {Errc::corrupt, "the peer's error does not parse"};
  }
  return {static_cast<Errc>(reply.error_code()), reply.context()};
}

FrameReader::FrameReader(size_t frame_bytes_max)
    : frame_bytes_max_(frame_bytes_max), buffer_(kReadBufferBytes) {}

FrameReader::Targets FrameReader::prepare() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  Targets targets;
  size_t used = 0;
  if (have_header_) {
    auto body = std::as_writable_bytes(std::span(frame_.body)).subspan(body_filled_);
    auto payload = frame_.payload.mutable_view().subspan(payload_filled_);
    if (!body.empty()) targets[used++] = body;
    if (!payload.empty()) targets[used++] = payload;
  }
  const size_t room = std::min(read_ahead_, buffer_.size() - end_);
  targets[used] = MutableByteView(buffer_.data() + end_, room);
  return targets;
}

void FrameReader::commit(size_t count) {
  if (have_header_) {
    const size_t to_body = std::min(count, frame_.body.size() - body_filled_);
    body_filled_ += to_body;
    count -= to_body;
    const size_t to_payload = std::min(count, frame_.payload.size() - payload_filled_);
    payload_filled_ += to_payload;
    count -= to_payload;
  }
  end_ += count;
  CHECK(end_ <= buffer_.size());
}

void FrameReader::fill_from_buffer() {
  const size_t to_body = std::min(end_ - begin_, frame_.body.size() - body_filled_);
  if (to_body > 0) std::memcpy(frame_.body.data() + body_filled_, &buffer_[begin_], to_body);
  body_filled_ += to_body;
  begin_ += to_body;
  const size_t to_payload = std::min(end_ - begin_, frame_.payload.size() - payload_filled_);
  if (to_payload > 0) {
    std::memcpy(frame_.payload.data() + payload_filled_, &buffer_[begin_], to_payload);
  }
  payload_filled_ += to_payload;
  begin_ += to_payload;
}

bool FrameReader::complete() const {
  return body_filled_ == frame_.body.size() && payload_filled_ == frame_.payload.size();
}

Result<std::optional<Frame>> FrameReader::next() {
  if (!have_header_) {
    if (end_ - begin_ < kFrameHeaderBytes) return std::optional<Frame>();
    std::memcpy(raw_header_.data(), &buffer_[begin_], kFrameHeaderBytes);
    frame_.header = TRY(decode_header(raw_header_, frame_bytes_max_));
    begin_ += kFrameHeaderBytes;
    have_header_ = true;
    frame_.body.resize(frame_.header.body_bytes);
    frame_.payload =
        frame_.header.payload_bytes > 0 ? Buffer::allocate(frame_.header.payload_bytes) : Buffer();
    body_filled_ = payload_filled_ = 0;
    read_ahead_ =
        frame_.header.payload_bytes >= kLargePayloadBytes ? kReadAheadBytesMin : kReadBufferBytes;
  }
  fill_from_buffer();
  if (!complete()) return std::optional<Frame>();
  TRY(verify_checksum(raw_header_, frame_.body));
  if ((frame_.header.flags & kFramePayloadChecksum) != 0 &&
      hash64(frame_.payload.view(), kPayloadSeed) != frame_.header.payload_checksum) {
    return fail(Errc::corrupt, "checksum of a frame's payload of {} bytes does not match",
                frame_.payload.size());
  }
  have_header_ = false;
  return std::optional<Frame>(std::exchange(frame_, Frame{}));
}

}  // namespace turbine::rpc
