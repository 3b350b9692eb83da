// Decoder of the chunked transfer coding (RFC 9112 section 7.1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/buffer.hpp"
#include "base/result.hpp"

namespace turbine::s3 {

/// Takes the coded bytes in pieces of any size. Trailer fields are checked and dropped.
class HttpChunkedDecoder {
 public:
  /// Appends the payload in `input` to `out` as slices of it. Returns how many bytes belong to this
  /// body: fewer than given only when the body has ended. Errc::invalid: close the connection.
  Result<size_t> feed(const Buffer& input, std::vector<Buffer>& out);
  bool done() const { return state_ == State::done; }

 private:
  enum class State { size_line, data, data_end, trailer, done };
  Result<> take_line();

  State state_ = State::size_line;
  uint64_t data_left_ = 0;
  std::string line_;  // of a size line, trailer line or the CR LF behind data
  size_t trailer_bytes_ = 0;
};

}  // namespace turbine::s3
