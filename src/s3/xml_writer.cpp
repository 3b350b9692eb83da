#include "s3/xml_writer.hpp"

#include <fmt/format.h>

#include <array>

#include "base/utf8.hpp"

namespace turbine::s3 {
namespace {

constexpr auto kPlain = [] {
  std::array<bool, 256> table{};
  for (int c = 0x20; c < 0x7f; ++c) table[c] = true;
  for (char c : {'&', '<', '>', '"'}) table[static_cast<unsigned char>(c)] = false;
  return table;
}();

/// U+FFFD, for bytes that are not UTF-8.
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

/// Bytes of the code point that `text` begins with, its lead at least 0x80; 0 when it is none.
size_t sequence_bytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return text.size() >= bytes && is_valid_utf8(text.substr(0, bytes)) ? bytes : 0;
}

}  // namespace

XmlWriter::XmlWriter() : text_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}

XmlWriter::XmlWriter(std::string_view root) : XmlWriter() {
  open_with_namespace(root);
}

void XmlWriter::open(std::string_view name) {
  text_.append("<").append(name).append(">");
  open_.push_back(name);
}

void XmlWriter::open_with_namespace(std::string_view name) {
  text_.append("<").append(name).append(" xmlns=\"").append(kS3Namespace).append("\">");
  open_.push_back(name);
}

void XmlWriter::open_with_attributes(std::string_view name, std::string_view attributes) {
  text_.append("<").append(name).append(" ").append(attributes).append(">");
  open_.push_back(name);
}

void XmlWriter::close() {
  text_.append("</").append(open_.back()).append(">");
  open_.pop_back();
}

void XmlWriter::element(std::string_view name, std::string_view value) {
  text_.append("<").append(name).append(">");
  text(value);
  text_.append("</").append(name).append(">");
}

void XmlWriter::element(std::string_view name, uint64_t number) {
  element(name, std::string_view(fmt::format_int(number).c_str()));
}

void XmlWriter::element(std::string_view name, bool value) {
  element(name, value ? std::string_view("true") : std::string_view("false"));
}

void XmlWriter::text(std::string_view value) {
  size_t done = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const auto byte = static_cast<unsigned char>(value[i]);
    if (kPlain[byte]) continue;
    if (byte >= 0x80) {
      const size_t sequence = sequence_bytes(value.substr(i));
      if (sequence > 0) {
        i += sequence - 1;
        continue;
      }
    }
    text_.append(value, done, i - done);
    done = i + 1;
    if (byte >= 0x80) {
      text_.append(kReplacement);
      continue;
    }
    switch (byte) {
      case '&':
        text_.append("&amp;");
        break;
      case '<':
        text_.append("&lt;");
        break;
      case '>':
        text_.append("&gt;");
        break;
      case '"':
        text_.append("&quot;");
        break;
      default:
        fmt::format_to(std::back_inserter(text_), "&#x{:x};", byte);
    }
  }
  text_.append(value, done, value.size() - done);
}

std::string XmlWriter::take() {
  while (!open_.empty()) close();
  return std::move(text_);
}

}  // namespace turbine::s3
