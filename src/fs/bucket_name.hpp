#pragma once

#include <string_view>

namespace turbine::fs {

/// Amazon's rules for the names of new buckets, in words for users.
inline constexpr std::string_view kBucketNameRule =
    "3 to 63 of a-z, 0-9, '.' and '-', a letter or digit at both ends, no '..', not like an IP "
    "address";
/// By those rules. Buckets made as directories over NFS may have other names.
bool is_valid_new_bucket_name(std::string_view name);

}  // namespace turbine::fs
