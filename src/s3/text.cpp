#include "s3/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/check.hpp"

namespace turbine::s3 {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::optional<uint64_t> parse_number(std::string_view text, int base) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Civil {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0, weekday = 0;
};

Civil to_civil(int64_t unix_seconds) {
  using namespace std::chrono;
  const sys_seconds time{seconds(unix_seconds)};
  const auto days_part = floor<days>(time);
  const year_month_day date(days_part);
  const hh_mm_ss<seconds> clock(time - days_part);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<unsigned>(clock.hours().count()),
          static_cast<unsigned>(clock.minutes().count()),
          static_cast<unsigned>(clock.seconds().count()),
          weekday(days_part).c_encoding()};
}

/// Empty also for years whose nanoseconds no int64 holds: callers multiply.
std::optional<int64_t> from_civil(const Civil& c) {
  using namespace std::chrono;
  if (c.year < 1678 || c.year > 2261) return std::nullopt;
  const year_month_day date(year(c.year), month(c.month), day(c.day));
  if (!date.ok() || c.hour > 23 || c.minute > 59 || c.second > 60) return std::nullopt;
  const auto at = sys_days(date) + hours(c.hour) + minutes(c.minute) + seconds(c.second);
  return at.time_since_epoch().count();
}

/// Reads a fixed-width decimal field; false when it holds anything but digits.
bool read_field(std::string_view text, size_t offset, size_t width, auto& out) {
  if (offset + width > text.size()) return false;
  const auto value = parse_decimal(text.substr(offset, width));
  if (!value) return false;
  out = static_cast<std::remove_reference_t<decltype(out)>>(*value);
  return true;
}

bool read_month(std::string_view name, Civil& out) {
  const auto found = std::ranges::find(kMonths, name);
  if (found == kMonths.end()) return false;
  out.month = static_cast<unsigned>(found - kMonths.begin()) + 1;
  return true;
}

bool read_clock(std::string_view text, Civil& out) {
  return text.size() == 8 && text[2] == ':' && text[5] == ':' && read_field(text, 0, 2, out.hour) &&
         read_field(text, 3, 2, out.minute) && read_field(text, 6, 2, out.second);
}

}  // namespace

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), to_lower);
  return result;
}

std::optional<uint64_t> parse_decimal(std::string_view text) {
  return parse_number(text, 10);
}

std::optional<uint64_t> parse_hex(std::string_view text) {
  if (text.size() > 16) return std::nullopt;
  return parse_number(text, 16);
}

std::string to_hex(ByteView bytes) {
  std::string result(bytes.size() * 2, '\0');
  char* out = result.data();
  for (const std::byte byte : bytes) {
    *out++ = kHex[static_cast<uint8_t>(byte) >> 4];
    *out++ = kHex[static_cast<uint8_t>(byte) & 15];
  }
  return result;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string result(text.size() / 2, '\0');
  for (size_t i = 0; i < result.size(); ++i) {
    const size_t high = kHex.find(text[2 * i]);
    const size_t low = kHex.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    result[i] = static_cast<char>(high << 4 | low);
  }
  return result;
}

std::string to_base64(ByteView bytes) {
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = static_cast<uint32_t>(bytes[i]) << 16;
    if (count > 1) group |= static_cast<uint32_t>(bytes[i + 1]) << 8;
    if (count > 2) group |= static_cast<uint32_t>(bytes[i + 2]);
    result.push_back(kBase64[group >> 18]);
    result.push_back(kBase64[group >> 12 & 63]);
    result.push_back(count > 1 ? kBase64[group >> 6 & 63] : '=');
    result.push_back(count > 2 ? kBase64[group & 63] : '=');
  }
  return result;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string result;
  uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : text) {
    const size_t value = kBase64.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      result.push_back(static_cast<char>(bits >> bit_count & 0xff));
    }
  }
  if ((bits & ((1U << bit_count) - 1)) != 0) return std::nullopt;
  return result;
}

std::string format_http_date(int64_t unix_seconds) {
  const Civil c = to_civil(unix_seconds);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[c.weekday], c.day,
                     kMonths[c.month - 1], c.year, c.hour, c.minute, c.second);
}

std::optional<int64_t> parse_http_date(std::string_view text) {
  Civil c;
  const size_t comma = text.find(", ");
  if (comma == 3 && text.size() == 29 && text.ends_with(" GMT")) {  // IMF-fixdate
    if (read_field(text, 5, 2, c.day) && read_month(text.substr(8, 3), c) &&
        read_field(text, 12, 4, c.year) && read_clock(text.substr(17, 8), c)) {
      return from_civil(c);
    }
  } else if (comma != std::string_view::npos && text.ends_with(" GMT")) {  // RFC 850
    const std::string_view rest = text.substr(comma + 2);
    if (rest.size() == 22 && read_field(rest, 0, 2, c.day) && read_month(rest.substr(3, 3), c) &&
        read_field(rest, 7, 2, c.year) && read_clock(rest.substr(10, 8), c)) {
      c.year += c.year < 70 ? 2000 : 1900;
      return from_civil(c);
    }
  } else if (text.size() == 24) {  // asctime
    std::string day(text.substr(8, 2));
    if (day[0] == ' ') day[0] = '0';
    if (read_month(text.substr(4, 3), c) && read_field(day, 0, 2, c.day) &&
        read_clock(text.substr(11, 8), c) && read_field(text, 20, 4, c.year)) {
      return from_civil(c);
    }
  }
  return std::nullopt;
}

std::string format_iso_time(int64_t unix_ns) {
  const int64_t ms = unix_ns / 1'000'000;
  const Civil c = to_civil(ms / 1000);
  std::string result = "0000-00-00T00:00:00.000Z";
  auto put = [&result](size_t offset, int width, unsigned value) {
    for (int i = width - 1; i >= 0; --i, value /= 10) {
      result[offset + static_cast<size_t>(i)] = static_cast<char>('0' + value % 10);
    }
  };
  put(0, 4, static_cast<unsigned>(c.year));
  put(5, 2, c.month);
  put(8, 2, c.day);
  put(11, 2, c.hour);
  put(14, 2, c.minute);
  put(17, 2, c.second);
  put(20, 3, static_cast<unsigned>(ms % 1000));
  return result;
}

std::optional<int64_t> parse_iso_basic(std::string_view text) {
  Civil c;
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  if (!read_field(text, 0, 4, c.year) || !read_field(text, 4, 2, c.month) ||
      !read_field(text, 6, 2, c.day) || !read_field(text, 9, 2, c.hour) ||
      !read_field(text, 11, 2, c.minute) || !read_field(text, 13, 2, c.second)) {
    return std::nullopt;
  }
  return from_civil(c);
}

}  // namespace turbine::s3
