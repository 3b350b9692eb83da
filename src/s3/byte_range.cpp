#include "s3/byte_range.hpp"

#include <algorithm>

#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

struct RawRange {
  std::optional<uint64_t> first, last;
};

std::optional<RawRange> parse_raw(std::string_view header) {
  if (!header.starts_with("bytes=")) return std::nullopt;
  header.remove_prefix(6);
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  RawRange range;
  const std::string_view first = header.substr(0, dash);
  const std::string_view last = header.substr(dash + 1);
  if (!first.empty() && !(range.first = parse_decimal(first))) return std::nullopt;
  if (!last.empty() && !(range.last = parse_decimal(last))) return std::nullopt;
  if (!range.first && !range.last) return std::nullopt;
  if (range.first && range.last && *range.first > *range.last) return std::nullopt;
  return range;
}

}  // namespace

S3Result<std::optional<ByteRange>> parse_range(std::string_view header, uint64_t size) {
  const auto raw = parse_raw(header);
  if (!raw) return std::optional<ByteRange>();
  if (!raw->first) {  // the last so many bytes
    if (*raw->last > 0 && size > 0) {
      const uint64_t length = std::min(*raw->last, size);
      return ByteRange{size - length, length};
    }
  } else if (*raw->first < size) {
    const uint64_t last = std::min(raw->last.value_or(size - 1), size - 1);
    return ByteRange{*raw->first, last - *raw->first + 1};
  }
  S3Error error(S3Code::invalid_range, "The requested range is not satisfiable");
  error.elements.emplace_back("RangeRequested", header);
  error.elements.emplace_back("ActualObjectSize", std::to_string(size));
  error.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
  return std::unexpected(std::move(error));
}

S3Result<ByteRange> parse_copy_range(std::string_view header, uint64_t size) {
  const auto raw = parse_raw(header);
  if (!raw || !raw->first || !raw->last) {
    return s3_fail(S3Code::invalid_argument,
                   "The x-amz-copy-source-range value must be of the form bytes=first-last where "
                   "first and last are the zero-based offsets of the first and last bytes to copy");
  }
  if (*raw->last >= size) {
    return s3_fail(S3Code::invalid_argument,
                   "Range specified is not valid for source object of size: {}", size);
  }
  return ByteRange{*raw->first, *raw->last - *raw->first + 1};
}

}  // namespace turbine::s3
