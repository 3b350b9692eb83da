// Frames from a hostile peer: no crash, no read past the end, no allocation beyond the limit.
#include "rpc/frame.hpp"

#include "base/hash.hpp"

namespace turbine::rpc {
namespace {

constexpr size_t kMax = 1 << 20;

void feed(std::string_view stream, size_t piece) {
  FrameReader reader(kMax);
  while (!stream.empty()) {
    size_t left = std::min(piece, stream.size());
    size_t read = 0;
    for (const MutableByteView target : reader.prepare()) {
      const size_t count = std::min(left, target.size());
      if (count > 0) std::memcpy(target.data(), stream.data() + read, count);
      read += count;
      left -= count;
    }
    CHECK(read > 0);
    reader.commit(read);
    stream.remove_prefix(read);
    for (;;) {
      Result<std::optional<Frame>> frame = reader.next();
      if (!frame.ok()) return;
      if (!frame->has_value()) break;
      CHECK((*frame)->body.size() + (*frame)->payload.size() <= kMax);
      if (((*frame)->header.flags & kFrameError) != 0) (void)decode_error((*frame)->body);
    }
  }
}

}  // namespace
}  // namespace turbine::rpc

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace turbine;
  if (size < 2) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  rpc::feed(stream, size_t{data[0]} + 1);
  // The same bytes as the body of a sound frame, so that checksums do not keep the fuzzer out.
  rpc::FrameHeader header;
  header.flags = data[0] & rpc::kFrameFlagsKnown & ~rpc::kFramePayloadChecksum;
  const std::string_view body = stream.substr(0, stream.size() / 2);
  const std::string_view payload = stream.substr(stream.size() / 2);
  const auto head = rpc::encode_header(header, body, as_bytes(payload), (data[0] & 8) != 0);
  std::string framed(as_text(head));
  framed.append(body);
  framed.append(payload);
  rpc::feed(framed, size_t{data[0]} + 1);
  return 0;
}
