#include "s3/http_head.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

constexpr auto kTokenCharacters = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

/// Blank, tab, visible ASCII and bytes ≥ 0x80.
bool is_field_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Whether the comma-separated `list` holds `token`.
bool list_has(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    if (equals_ignoring_case(trim_blanks(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return kTokenCharacters[static_cast<unsigned char>(c)];
  });
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

size_t find_head_end(std::string_view bytes, size_t search_from) {
  const size_t found = bytes.find("\r\n\r\n", search_from > 3 ? search_from - 3 : 0);
  return found == std::string_view::npos ? found : found + 4;
}

std::string_view RequestHead::get(std::string_view name) const {
  for (const auto& field : fields_) {
    if (field.first == name) return field.second;
  }
  return {};
}

bool RequestHead::has(std::string_view name) const {
  return count(name) > 0;
}

size_t RequestHead::count(std::string_view name) const {
  return static_cast<size_t>(
      std::ranges::count_if(fields_, [name](const Field& field) { return field.first == name; }));
}

Result<RequestHead> RequestHead::parse(std::string_view bytes, const HeadLimits& limits) {
  if (bytes.size() > limits.head_bytes_max) return fail(Errc::too_large, "head too long");
  if (!bytes.ends_with("\r\n\r\n")) return fail(Errc::invalid, "head does not end");
  RequestHead head;
  head.bytes_ = std::make_unique_for_overwrite<char[]>(bytes.size());
  std::memcpy(head.bytes_.get(), bytes.data(), bytes.size());

  char* at = head.bytes_.get();
  char* const end = at + bytes.size() - 2;  // the empty line
  bool first = true;
  while (at < end) {
    auto* newline = static_cast<char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    if (newline == nullptr || newline == at || newline[-1] != '\r') {
      return fail(Errc::invalid, "a line of the head does not end with CR LF");
    }
    char* line_end = newline - 1;
    if (std::memchr(at, '\r', static_cast<size_t>(line_end - at)) != nullptr) {
      return fail(Errc::invalid, "bare CR in the head");
    }
    if (first) {
      if (static_cast<size_t>(line_end - at) > limits.line_bytes_max) {
        return fail(Errc::too_large, "request line too long");
      }
      TRY(head.parse_request_line({at, line_end}));
      first = false;
    } else {
      if (head.fields_.size() >= limits.field_count_max) {
        return fail(Errc::too_large, "more than {} header fields", limits.field_count_max);
      }
      TRY(head.parse_field(at, line_end));
    }
    at = newline + 1;
  }
  if (first) return fail(Errc::invalid, "empty head");
  TRY(head.find_framing());
  return head;
}

Result<> RequestHead::parse_request_line(std::string_view line) {
  const size_t space = line.find(' ');
  const size_t last = line.rfind(' ');
  if (space == std::string_view::npos || space == last) {
    return fail(Errc::invalid, "malformed request line");
  }
  method_ = line.substr(0, space);
  target_ = line.substr(space + 1, last - space - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method_)) return fail(Errc::invalid, "malformed method");
  const bool target_ok = !target_.empty() && std::ranges::all_of(target_, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
  });
  if (!target_ok) return fail(Errc::invalid, "malformed request target");
  if (version.size() != 8 || !version.starts_with("HTTP/")) {
    return fail(Errc::invalid, "malformed HTTP version");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return fail(Errc::unsupported, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  }
  http_1_1_ = version == "HTTP/1.1";
  return {};
}

Result<> RequestHead::parse_field(char* begin, char* end) {
  char* colon = std::find(begin, end, ':');
  const std::string_view name(begin, static_cast<size_t>(colon - begin));
  // Also refuses folded lines and a blank before the colon.
  if (colon == end || !is_token(name)) return fail(Errc::invalid, "malformed header field name");
  std::transform(begin, colon, begin, to_lower);
  const std::string_view value(colon + 1, static_cast<size_t>(end - colon - 1));
  if (!std::ranges::all_of(value, is_field_byte)) {
    return fail(Errc::invalid, "control character in header field {}", name);
  }
  fields_.emplace_back(name, trim_blanks(value));
  return {};
}

Result<> RequestHead::find_framing() {
  const size_t hosts = count("host");
  if (hosts > 1 || (hosts == 0 && http_1_1_) || (hosts == 1 && get("host").empty())) {
    return fail(Errc::invalid, "exactly one Host field is required");
  }
  const size_t lengths = count("content-length");
  const size_t encodings = count("transfer-encoding");
  if (lengths > 1 || encodings > 1 || (lengths > 0 && encodings > 0)) {
    return fail(Errc::invalid, "ambiguous length of the body");
  }
  if (encodings == 1) {
    if (!http_1_1_ || !equals_ignoring_case(get("transfer-encoding"), "chunked")) {
      return fail(Errc::invalid, "the only transfer encoding is chunked, in HTTP/1.1");
    }
    chunked_ = true;
  } else if (lengths == 1) {
    content_length_ = parse_decimal(get("content-length"));
    if (!content_length_ || *content_length_ > uint64_t{1} << 62) {
      return fail(Errc::invalid, "malformed Content-Length");
    }
  }
  bool close = false;
  bool keep = false;
  for (const auto& [name, value] : fields_) {
    if (name != "connection") continue;
    close = close || list_has(value, "close");
    keep = keep || list_has(value, "keep-alive");
  }
  keep_alive_ = !close && (http_1_1_ || keep);
  expects_continue_ = http_1_1_ && equals_ignoring_case(get("expect"), "100-continue");
  return {};
}

}  // namespace turbine::s3
