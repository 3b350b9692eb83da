// Header fields of objects: from a request into attributes, from attributes into an answer.
#pragma once

#include <string>
#include <string_view>

#include "fs/fs.hpp"
#include "s3/http_exchange.hpp"
#include "s3/s3_error.hpp"

namespace turbine::s3 {

/// Content-Type, x-amz-meta-*, Cache-Control, Content-Disposition, -Encoding (without aws-chunked),
/// -Language and Expires. metadata_too_large past 2 KiB. not_implemented for what would have to be
/// kept to be honest and can't be yet: encryption, tags, locks, ACLs that open to others.
S3Result<fs::NewObject> attributes_of(const RequestHead& head);
/// Only the checks of attributes_of().
S3Result<> refuse_unsupported_fields(const RequestHead& head);

/// ETag, Last-Modified, Content-Type, Accept-Ranges, kept headers and, if asked, the checksum.
void add_object_fields(ResponseHead& head, const fs::ObjectInfo& info, bool with_checksum);
std::string quoted_etag(std::string_view etag);

/// Whether the stored attribute `name` holds a checksum.
bool is_checksum_attribute(std::string_view name);

inline constexpr uint64_t kObjectBytesMax = uint64_t{5} << 30;  // of one PUT, copy or part

}  // namespace turbine::s3
