#include "s3/xml_reader.hpp"

#include <pugixml.hpp>

#include "base/utf8.hpp"
#include "s3/text.hpp"
#include "s3/uri.hpp"

namespace turbine::s3 {
namespace {

constexpr int kDepthMax = 16;
constexpr size_t kDeleteItemsMax = 1000;
constexpr uint32_t kPartNumberMax = 10'000;

std::unexpected<S3Error> malformed() {
  return s3_fail(S3Code::malformed_xml,
                 "The XML you provided was not well-formed or did not "
                 "validate against our published schema");
}

/// "&#0;" in any spelling would end the text early: a key would turn into another one.
bool has_nul_reference(std::string_view xml) {
  for (size_t at = xml.find("&#"); at != std::string_view::npos; at = xml.find("&#", at + 1)) {
    size_t digit = at + 2;
    if (digit < xml.size() && xml[digit] == 'x') ++digit;
    while (digit < xml.size() && xml[digit] == '0') ++digit;
    if (digit >= xml.size() || xml[digit] == ';') return true;
  }
  return false;
}

/// Refuses declarations (and so entities), processing instructions and deep nesting before the
/// parser sees them: pugixml skips a DTD instead of refusing it, and its destructor recurses.
bool is_harmless(std::string_view xml) {
  if (xml.find('\0') != std::string_view::npos || has_nul_reference(xml)) return false;
  int depth = 0;
  for (size_t at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
    const char next = at + 1 < xml.size() ? xml[at + 1] : '\0';
    if (next == '!' && !xml.substr(at).starts_with("<!--") &&
        !xml.substr(at).starts_with("<![CDATA[")) {
      return false;
    }
    if (next == '?' && !xml.substr(at).starts_with("<?xml ")) return false;
    if (next == '/') {
      --depth;
    } else if (next != '!' && next != '?') {
      const size_t end = xml.find('>', at);
      if (end == std::string_view::npos) return false;
      if (xml[end - 1] != '/' && ++depth > kDepthMax) return false;
    }
  }
  return true;
}

S3Result<> load(pugi::xml_document& document, std::string_view xml) {
  if (xml.size() > kXmlBytesMax || !is_valid_utf8(xml) || !is_harmless(xml)) return malformed();
  const auto result = document.load_buffer(
      xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata, pugi::encoding_utf8);
  if (!result) return malformed();
  return {};
}

/// The name without a namespace's prefix.
std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string all_text(const pugi::xml_node& node) {
  std::string text;
  for (const auto& child : node.children()) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      text.append(child.value());
    }
  }
  return text;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

S3Result<CompletedPart> parse_part(const pugi::xml_node& node) {
  CompletedPart part;
  bool has_number = false, has_etag = false;
  for (const auto& child : node.children()) {
    const std::string_view name = local_name(child);
    const std::string text = all_text(child);
    if (name == "PartNumber") {
      const auto number = parse_decimal(trim(text));
      if (!number || *number < 1 || *number > kPartNumberMax || has_number) return malformed();
      part.number = static_cast<uint32_t>(*number);
      has_number = true;
    } else if (name == "ETag") {
      if (has_etag) return malformed();
      part.etag = unquote_etag(trim(text));
      has_etag = true;
    } else if (name.starts_with("Checksum")) {
      part.checksums.emplace_back(name, trim(text));
    }
  }
  if (!has_number || !has_etag) return malformed();
  return part;
}

S3Result<DeleteRequest::Item> parse_delete_item(const pugi::xml_node& node) {
  DeleteRequest::Item item;
  bool has_key = false;
  for (const auto& child : node.children()) {
    const std::string_view name = local_name(child);
    if (name == "Key") {
      if (has_key) return malformed();
      item.key = all_text(child);
      has_key = true;
    } else if (name == "ETag") {
      item.etag = unquote_etag(trim(all_text(child)));
    } else if (name == "VersionId") {
      const std::string version = all_text(child);
      item.versioned = !version.empty() && version != "null";
    }
  }
  if (!has_key || item.key.empty()) return malformed();
  return item;
}

}  // namespace

std::string unquote_etag(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

S3Result<std::vector<CompletedPart>> parse_complete_upload(std::string_view xml) {
  pugi::xml_document document;
  TRY(load(document, xml));
  const auto root = document.document_element();
  if (local_name(root) != "CompleteMultipartUpload") return malformed();
  std::vector<CompletedPart> parts;
  for (const auto& node : root.children()) {
    if (node.type() != pugi::node_element) continue;
    if (local_name(node) != "Part" || parts.size() >= kPartNumberMax) return malformed();
    parts.push_back(TRY(parse_part(node)));
  }
  if (parts.empty()) return malformed();
  return parts;
}

S3Result<DeleteRequest> parse_delete(std::string_view xml) {
  pugi::xml_document document;
  TRY(load(document, xml));
  const auto root = document.document_element();
  if (local_name(root) != "Delete") return malformed();
  DeleteRequest request;
  for (const auto& node : root.children()) {
    if (node.type() != pugi::node_element) continue;
    if (local_name(node) == "Quiet") {
      request.quiet = trim(all_text(node)) == "true";
    } else if (local_name(node) == "Object") {
      if (request.items.size() >= kDeleteItemsMax) return malformed();
      request.items.push_back(TRY(parse_delete_item(node)));
    } else {
      return malformed();
    }
  }
  if (request.items.empty()) return malformed();
  return request;
}

S3Result<std::string> parse_create_bucket(std::string_view xml) {
  if (trim(xml).empty()) return std::string();
  pugi::xml_document document;
  TRY(load(document, xml));
  const auto root = document.document_element();
  if (local_name(root) != "CreateBucketConfiguration") return malformed();
  for (const auto& node : root.children()) {
    if (local_name(node) == "LocationConstraint") return std::string(trim(all_text(node)));
  }
  return std::string();
}

}  // namespace turbine::s3
