#include "s3/xml_reader.hpp"

#include <pugixml.hpp>

#include "base/utf8.hpp"
#include "s3/multipart.hpp"
#include "s3/text.hpp"
#include "s3/uri.hpp"

namespace turbine::s3 {
namespace {

constexpr int kDepthMax = 16;
constexpr int kNodesMax = 100'000;  // elements and attributes; a part has eight at most
constexpr size_t kDeleteItemsMax = 1000;

std::unexpected<S3Error> malformed() {
  return s3_fail(S3Code::malformed_xml,
                 "The XML you provided was not well-formed or did not "
                 "validate against our published schema");
}

/// Whether "&…;" at the start of `text` is one of XML's five entities or a character that Unicode
/// has. pugixml takes others as they stand and lets numbers overflow: "&#x100000000;" would end a
/// key early and so name another object.
bool is_reference(std::string_view text) {
  const std::string_view name = text.substr(1, text.substr(0, 16).find(';') - 1);
  if (name.size() + 1 >= text.size() || text[name.size() + 1] != ';') return false;
  if (!name.starts_with('#')) {
    return name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos";
  }
  const bool hex = name.starts_with("#x");
  const auto number = hex ? parse_hex(name.substr(2)) : parse_decimal(name.substr(1));
  return number && *number > 0 && *number <= 0x10ffff && (*number < 0xd800 || *number > 0xdfff);
}

/// Walks a document's markup before pugixml sees it, which skips a DTD instead of refusing it and
/// takes much that is no XML.
class MarkupCheck {
 public:
  explicit MarkupCheck(std::string_view xml) : rest_(xml) {}

  /// One element at the top, no declarations (and so no entities), no processing instructions,
  /// sound references, no deep nesting.
  bool passes() {
    if (rest_.find('\0') != std::string_view::npos) return false;
    if (rest_.starts_with("<?xml ") && !skip_past("?>")) return false;
    while (!rest_.empty()) {
      if (rest_.front() != '<') {
        if (!take_text()) return false;
      } else if (!take_markup()) {
        return false;
      }
    }
    return depth_ == 0 && roots_ == 1;
  }

 private:
  bool skip_past(std::string_view end) {
    const size_t at = rest_.find(end);
    if (at == std::string_view::npos) return false;
    rest_.remove_prefix(at + end.size());
    return true;
  }
  static bool has_sound_references(std::string_view text) {
    for (size_t at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
      if (!is_reference(text.substr(at))) return false;
    }
    return true;
  }
  bool take_text() {
    const std::string_view text = rest_.substr(0, rest_.find('<'));
    rest_.remove_prefix(text.size());
    if (depth_ == 0) return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
    return has_sound_references(text);
  }
  bool take_markup() {
    if (rest_.starts_with("<!--")) {
      rest_.remove_prefix(4);
      return skip_past("-->");
    }
    if (rest_.starts_with("<![CDATA[")) return depth_ > 0 && skip_past("]]>");
    if (rest_.starts_with("<!") || rest_.starts_with("<?")) return false;
    if (rest_.starts_with("</")) return --depth_ >= 0 && skip_past(">");
    return take_start_tag();
  }
  bool take_start_tag() {
    char quote = '\0';
    for (size_t at = 1; at < rest_.size(); ++at) {
      const char c = rest_[at];
      if (c == '<') return false;
      if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (c == '"' || c == '\'') {
        if (++nodes_ > kNodesMax) return false;
        quote = c;
      } else if (c == '>') {
        if (!has_sound_references(rest_.substr(0, at))) return false;
        if (depth_ == 0) ++roots_;
        if (++nodes_ > kNodesMax) return false;
        const bool closed = rest_[at - 1] == '/';
        rest_.remove_prefix(at + 1);
        return closed || ++depth_ <= kDepthMax;
      }
    }
    return false;
  }

  std::string_view rest_;
  int depth_ = 0;
  int roots_ = 0;
  int nodes_ = 0;
};

S3Result<> load(pugi::xml_document& document, std::string_view xml) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (xml.starts_with(kByteOrderMark)) xml.remove_prefix(kByteOrderMark.size());
  if (xml.size() > kXmlBytesMax || !is_valid_utf8(xml) || !MarkupCheck(xml).passes()) {
    return malformed();
  }
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
    } else if (name == "LastModifiedTime" || name == "Size") {
      return s3_fail(S3Code::not_implemented, "The condition {} is not implemented.", name);
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
