#include "s3/response_text.hpp"

#include <fmt/format.h>

namespace turbine::s3 {

std::string_view status_reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 416:
      return "Range Not Satisfiable";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

std::string format_response_head(const ResponseHead& head, std::optional<uint64_t> length,
                                 bool keep) {
  std::string text;
  text.reserve(512);
  fmt::format_to(std::back_inserter(text), "HTTP/1.1 {} {}\r\n", head.status,
                 status_reason(head.status));
  for (const auto& [name, value] : head.fields) {
    text.append(name).append(": ");
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      text.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
    }
    text.append("\r\n");
  }
  if (length) fmt::format_to(std::back_inserter(text), "Content-Length: {}\r\n", *length);
  if (!keep) text.append("Connection: close\r\n");
  text.append("\r\n");
  return text;
}

}  // namespace turbine::s3
