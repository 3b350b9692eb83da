// The bytes of a response's head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "s3/http_exchange.hpp"

namespace turbine::s3 {

/// With Content-Length when `length` is given, Connection: close unless `keep`. Line breaks in
/// values become blanks: stored bytes must never end a header field.
std::string format_response_head(const ResponseHead& head, std::optional<uint64_t> length,
                                 bool keep);
std::string_view status_reason(int status);

}  // namespace turbine::s3
