// Reads the XML bodies that clients send. The only place of this folder that sees pugixml.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "s3/s3_error.hpp"

namespace turbine::s3 {

inline constexpr size_t kXmlBytesMax = size_t{4} * 1024 * 1024;

struct CompletedPart {
  uint32_t number = 0;
  std::string etag;                                            // without quotes
  std::vector<std::pair<std::string, std::string>> checksums;  // "ChecksumCRC32" → base64
};
/// <CompleteMultipartUpload>, parts in the order given, at least one.
S3Result<std::vector<CompletedPart>> parse_complete_upload(std::string_view xml);

struct DeleteRequest {
  struct Item {
    std::string key;
    std::string etag;        // condition; empty: none
    bool versioned = false;  // names a version other than "null"
  };
  bool quiet = false;
  std::vector<Item> items;  // 1 to 1000
};
/// <Delete>
S3Result<DeleteRequest> parse_delete(std::string_view xml);

/// <CreateBucketConfiguration>: the region asked for; empty when none. An empty body is fine.
S3Result<std::string> parse_create_bucket(std::string_view xml);

/// Strips one pair of quotes.
std::string unquote_etag(std::string_view text);

}  // namespace turbine::s3
