// Small conversions between bytes and text that HTTP, signatures and XML share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/buffer.hpp"

namespace turbine::s3 {

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
std::string lower_case(std::string_view text);
/// Without the blanks and line ends around it.
std::string_view trim(std::string_view text);

/// Digits only, no sign, no overflow; empty text is refused.
std::optional<uint64_t> parse_decimal(std::string_view text);
/// 1 to 16 hex digits.
std::optional<uint64_t> parse_hex(std::string_view text);

std::string to_hex(ByteView bytes);
/// Lower-case hex digits only, even count.
std::optional<std::string> from_hex(std::string_view text);
std::string to_base64(ByteView bytes);
/// RFC 4648 section 4 with padding; anything else is refused.
std::optional<std::string> from_base64(std::string_view text);

/// "Wed, 21 Oct 2015 07:28:00 GMT"
std::string format_http_date(int64_t unix_seconds);
/// The three forms of RFC 9110 section 5.6.7; empty when it is none of them, or so far away that it
/// can't be told in nanoseconds.
std::optional<int64_t> parse_http_date(std::string_view text);
/// "2015-10-21T07:28:00.000Z"
std::string format_iso_time(int64_t unix_ns);
/// "20151021T072800Z" to Unix seconds.
std::optional<int64_t> parse_iso_basic(std::string_view text);

}  // namespace turbine::s3
