// If-Match and its kin, on requests and on copy sources.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fs/fs.hpp"
#include "s3/http_head.hpp"
#include "s3/s3_error.hpp"

namespace turbine::s3 {

struct ReadConditions {
  std::string if_match, if_none_match;  // lists of etags, as sent; empty: none
  std::optional<int64_t> if_modified_since_s, if_unmodified_since_s;
};
enum class ConditionOutcome { holds, not_modified, failed };

/// `prefix`: empty, or "x-amz-copy-source-". Dates that can't be read are ignored (RFC 9110).
ReadConditions read_conditions(const RequestHead& head, std::string_view prefix);
/// In the order of RFC 9110 section 13.2.2: If-Match hides If-Unmodified-Since, If-None-Match hides
/// If-Modified-Since.
ConditionOutcome evaluate(const ReadConditions& conditions, const fs::ObjectInfo& info);

/// For PUT, CompleteMultipartUpload and DELETE. not_implemented: a list of etags, If-None-Match
/// other than `*`, or a condition on size or time that would have to be ignored.
S3Result<fs::Conditions> write_conditions(const RequestHead& head);

/// 412 naming the header that failed.
std::unexpected<S3Error> condition_failed(std::string_view header);

}  // namespace turbine::s3
