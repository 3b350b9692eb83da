// Writes XML documents into a string, front to back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace turbine::s3 {

inline constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Element names must be literals: they are kept as views until the element is closed. Text is
/// escaped; control characters that XML 1.0 has no way to write become `&#x1;` as AWS does, bytes
/// that are not UTF-8 become U+FFFD; `encoding-type=url` avoids both.
class XmlWriter {
 public:
  XmlWriter();
  /// Opens the document's element with S3's namespace.
  explicit XmlWriter(std::string_view root);

  void open(std::string_view name);
  void open_with_namespace(std::string_view name);
  /// For `<Grantee xmlns:xsi=… xsi:type=…>`; `attributes` as they are written.
  void open_with_attributes(std::string_view name, std::string_view attributes);
  void close();
  void element(std::string_view name, std::string_view text);
  void element(std::string_view name, uint64_t number);
  void element(std::string_view name, bool value);
  void element(std::string_view name, const char* text) { element(name, std::string_view(text)); }
  void element(std::string_view name, const std::string& text) {
    element(name, std::string_view(text));
  }
  void element(std::string_view name, int number) { element(name, static_cast<uint64_t>(number)); }

  size_t size() const { return text_.size(); }
  /// Closes what is open.
  std::string take();

 private:
  void text(std::string_view text);
  std::string text_;
  std::vector<std::string_view> open_;
};

}  // namespace turbine::s3
