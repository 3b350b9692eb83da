#include "s3/http_chunked.hpp"

#include <algorithm>

#include "s3/http_head.hpp"
#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

constexpr size_t kChunkLineBytesMax = 512;  // with the chunk's extensions
constexpr size_t kTrailerBytesMax = size_t{8} * 1024;
constexpr uint64_t kChunkBytesMax = uint64_t{1} << 40;

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

}  // namespace

Result<size_t> HttpChunkedDecoder::feed(const Buffer& input, std::vector<Buffer>& out) {
  const std::string_view bytes = input.text();
  size_t at = 0;
  while (at < bytes.size() && state_ != State::done) {
    if (state_ == State::data) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(data_left_, bytes.size() - at));
      out.push_back(input.slice(at, count));
      at += count;
      data_left_ -= count;
      if (data_left_ == 0) state_ = State::data_end;
      continue;
    }
    const size_t newline = bytes.find('\n', at);
    const size_t end = newline == std::string_view::npos ? bytes.size() : newline + 1;
    line_.append(bytes, at, end - at);
    at = end;
    if (line_.size() > kChunkLineBytesMax)
      return fail(Errc::invalid, "line of chunked body too long");
    if (newline != std::string_view::npos) TRY(take_line());
  }
  return at;
}

Result<> HttpChunkedDecoder::take_line() {
  if (!line_.ends_with("\r\n")) return fail(Errc::invalid, "bare LF in chunked body");
  const std::string_view line(line_.data(), line_.size() - 2);
  switch (state_) {
    case State::size_line: {
      const size_t semicolon = std::min(line.find(';'), line.size());
      const auto size = parse_hex(line.substr(0, semicolon));
      if (!size || *size > kChunkBytesMax || !is_printable(line)) {
        return fail(Errc::invalid, "malformed chunk size");
      }
      data_left_ = *size;
      state_ = *size == 0 ? State::trailer : State::data;
      break;
    }
    case State::data_end:
      if (!line.empty()) return fail(Errc::invalid, "chunk is longer than its size");
      state_ = State::size_line;
      break;
    case State::trailer: {
      const size_t colon = line.find(':');
      trailer_bytes_ += line.size();
      if (line.empty()) {
        state_ = State::done;
      } else if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
                 !is_printable(line) || trailer_bytes_ > kTrailerBytesMax) {
        return fail(Errc::invalid, "malformed trailer of chunked body");
      }
      break;
    }
    case State::data:
    case State::done:
      break;
  }
  line_.clear();
  return {};
}

}  // namespace turbine::s3
