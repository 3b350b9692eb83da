#include "s3/object_fields.hpp"

#include <algorithm>
#include <array>

#include "s3/digest.hpp"
#include "s3/http_head.hpp"
#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

constexpr size_t kMetadataBytesMax = size_t{2} * 1024;
constexpr std::string_view kMetaPrefix = "x-amz-meta-";
constexpr std::array<std::string_view, 4> kKeptFields = {"cache-control", "content-disposition",
                                                         "content-language", "expires"};
// Ignoring one of these would store something else than was asked for.
constexpr std::array<std::string_view, 7> kUnsupportedPrefixes = {
    "x-amz-server-side-encryption",
    "x-amz-copy-source-server-side-encryption",
    "x-amz-object-lock-",
    "x-amz-grant-",
    "x-amz-tagging",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes"};

/// Content-Encoding without "aws-chunked", which belongs to the transfer.
std::string stored_encoding(std::string_view value) {
  std::string kept;
  while (!value.empty()) {
    const size_t comma = std::min(value.find(','), value.size());
    std::string_view item = value.substr(0, comma);
    value.remove_prefix(std::min(comma + 1, value.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item.empty() || equals_ignoring_case(item, "aws-chunked")) continue;
    if (!kept.empty()) kept.append(",");
    kept.append(item);
  }
  return kept;
}

}  // namespace

S3Result<> refuse_unsupported_fields(const RequestHead& head) {
  for (const auto& [name, value] : head.fields()) {
    if (!name.starts_with("x-amz-")) continue;
    for (const auto prefix : kUnsupportedPrefixes) {
      if (name.starts_with(prefix) && name != "x-amz-tagging-directive") {
        return s3_fail(S3Code::not_implemented,
                       "A header you provided implies functionality that is not implemented: {}.",
                       name);
      }
    }
    if (name == "x-amz-acl" && value != "private" && value != "bucket-owner-full-control") {
      return s3_fail(S3Code::not_implemented, "The ACL {} is not implemented; private is.", value);
    }
  }
  return {};
}

S3Result<fs::NewObject> attributes_of(const RequestHead& head) {
  TRY(refuse_unsupported_fields(head));
  fs::NewObject result;
  result.content_type = head.get("content-type");
  if (result.content_type.empty()) result.content_type = "binary/octet-stream";
  size_t metadata_bytes = 0;
  for (const auto& [name, value] : head.fields()) {
    if (name.starts_with(kMetaPrefix)) {
      metadata_bytes += name.size() - kMetaPrefix.size() + value.size();
      const auto same = std::ranges::find_if(result.metadata,
                                             [&](const auto& item) { return item.first == name; });
      if (same != result.metadata.end()) {
        same->second.append(",").append(value);
      } else {
        result.metadata.emplace_back(name, value);
      }
    } else if (std::ranges::find(kKeptFields, name) != kKeptFields.end()) {
      result.metadata.emplace_back(name, value);
    } else if (name == "content-encoding") {
      std::string encoding = stored_encoding(value);
      if (!encoding.empty()) result.metadata.emplace_back(name, std::move(encoding));
    }
  }
  if (metadata_bytes > kMetadataBytesMax) {
    S3Error error(S3Code::metadata_too_large,
                  "Your metadata headers exceed the maximum allowed metadata size");
    error.elements.emplace_back("Size", std::to_string(metadata_bytes));
    error.elements.emplace_back("MaxSizeAllowed", std::to_string(kMetadataBytesMax));
    return std::unexpected(std::move(error));
  }
  return result;
}

bool is_checksum_attribute(std::string_view name) {
  return checksum_by_header(name) != nullptr;
}

std::string quoted_etag(std::string_view etag) {
  return fmt::format("\"{}\"", etag);
}

void add_object_fields(ResponseHead& head, const fs::ObjectInfo& info, bool with_checksum) {
  head.add("Last-Modified", format_http_date(info.modified_ns / 1'000'000'000));
  head.add("ETag", quoted_etag(info.etag));
  head.add("Accept-Ranges", "bytes");
  head.add("Content-Type",
           info.content_type.empty() ? "binary/octet-stream" : std::string_view(info.content_type));
  for (const auto& [name, value] : info.metadata) {
    if (!is_token(name)) continue;
    if (is_checksum_attribute(name)) {
      if (!with_checksum) continue;
      head.add("x-amz-checksum-type", "FULL_OBJECT");
    }
    head.add(name, value);
  }
}

}  // namespace turbine::s3
