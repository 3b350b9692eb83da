// The Range header of GET and HEAD, and x-amz-copy-source-range.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "s3/s3_error.hpp"

namespace turbine::s3 {

struct ByteRange {
  uint64_t offset = 0;
  uint64_t length = 0;
};

/// The part of `size` bytes that `header` asks for. Empty: all of them, because there is no header,
/// or one that S3 ignores (other units, several ranges, malformed). invalid_range (416): nothing of
/// it lies inside.
S3Result<std::optional<ByteRange>> parse_range(std::string_view header, uint64_t size);
/// "bytes=first-last", both given, within the source.
S3Result<ByteRange> parse_copy_range(std::string_view header, uint64_t size);

}  // namespace turbine::s3
