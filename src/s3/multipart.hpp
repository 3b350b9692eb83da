// What the multipart operations share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "s3/operation.hpp"

namespace turbine::s3 {

inline constexpr uint32_t kPartNumberMax = 10'000;
inline constexpr uint64_t kPartBytesMin = uint64_t{5} * 1024 * 1024;  // but for the last

struct PartAddress {
  std::string upload;
  uint32_t number = 0;
};
/// uploadId and partNumber.
S3Result<PartAddress> part_address(const Query& query);
/// Whether the text can be an upload id at all; another is simply not found.
S3Result<std::string> upload_id(const Query& query);

/// A part's checksum travels in its stored etag, "md5;CRC32C=base64": the array keeps no more of a
/// part. Clients see and send only the MD5.
std::string stored_part_etag(std::string_view md5, std::string_view checksum_name,
                             std::string_view checksum);
struct PartEtag {
  std::string md5;
  std::string checksum_name;  // "CRC32C"; empty: none
  std::string checksum;       // base64
};
PartEtag parse_part_etag(std::string_view stored);

/// "md5-of-md5s-n". Empty when an etag is no MD5.
std::string multipart_etag(const std::vector<std::string>& part_md5s);

/// All parts of an upload, in order.
S3Task<std::vector<fs::PartInfo>> all_parts(Environment& env, const Request& request,
                                            std::string upload);

}  // namespace turbine::s3
