// The head of an HTTP/1.1 request, parsed strictly: what two parsers could read differently is
// refused (RFC 9112 sections 2.2, 3, 5, 6, 11.2).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace turbine::s3 {

struct HeadLimits {
  size_t line_bytes_max = size_t{8} * 1024;   // request line
  size_t head_bytes_max = size_t{64} * 1024;  // request line and fields
  size_t field_count_max = 100;
};

/// A request's first part. Owns its bytes; all views point into them. Field names are lower case,
/// values are without surrounding blanks.
class RequestHead {
 public:
  using Field = std::pair<std::string_view, std::string_view>;

  /// `bytes` is everything up to and with the empty line. Errc::invalid: the connection must be
  /// closed after a 400, because nobody can tell where the next request starts. Errc::too_large: a
  /// limit is passed. Errc::unsupported: not HTTP/1.0 or 1.1.
  static Result<RequestHead> parse(std::string_view bytes, const HeadLimits& limits = {});

  std::string_view method() const { return method_; }
  /// As received, still encoded.
  std::string_view target() const { return target_; }
  const std::vector<Field>& fields() const { return fields_; }
  /// The value of the first field of that (lower-case) name; empty when there is none.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  size_t count(std::string_view name) const;

  /// Bytes of the body; empty when it is chunked.
  std::optional<uint64_t> content_length() const { return content_length_; }
  bool chunked() const { return chunked_; }
  bool has_body() const { return chunked_ || content_length_.value_or(0) > 0; }
  bool keep_alive() const { return keep_alive_; }
  bool expects_continue() const { return expects_continue_; }

 private:
  Result<> parse_request_line(std::string_view line);
  Result<> parse_field(char* begin, char* end);
  Result<> find_framing();

  std::unique_ptr<char[]> bytes_;
  std::string_view method_, target_;
  std::vector<Field> fields_;
  std::optional<uint64_t> content_length_;
  bool chunked_ = false;
  bool http_1_1_ = true;
  bool keep_alive_ = true;
  bool expects_continue_ = false;
};

/// Index just past the empty line that ends a head, or npos when `bytes` does not hold it yet.
size_t find_head_end(std::string_view bytes, size_t search_from = 0);

/// RFC 9110 token characters.
bool is_token(std::string_view text);
/// Case-insensitive, ASCII only.
bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace turbine::s3
