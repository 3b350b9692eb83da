// Buckets: the directories of the root.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fs/core.hpp"
#include "fs/fs.hpp"

namespace turbine::fs {

/// Of a bucket's directory: when it was made, ns since 1970 in decimal.
inline constexpr const char* kBucketCreatedSetting = "created_ns";

/// What never changes of a bucket, by inode; inode numbers are used once.
using BucketFacts = std::map<InodeId, BucketInfo>;

// As the functions of FileSystem with these names. `facts` outlives the calls.
Task<BucketInfo> create_bucket(CorePtr core, CallContext call, std::string name);
Task<> delete_bucket(CorePtr core, CallContext call, std::string name);
Task<BucketInfo> find_bucket(CorePtr core, BucketFacts& facts, std::string name);
/// A bucket whose partition can't be asked is listed without owner and time.
Task<std::vector<BucketInfo>> list_buckets(CorePtr core, BucketFacts& facts);
Task<std::vector<BucketUsage>> bucket_usage(CorePtr core, std::vector<InodeId> buckets);
Task<BucketAttributes> set_bucket_attributes(CorePtr core, CallContext call, std::string name,
                                             BucketAttributes attributes);
/// Of one bucket by its home alone: nothing when it has none.
Task<std::optional<BucketUsage::Quota>> bucket_quota(CorePtr core, InodeId bucket);

}  // namespace turbine::fs
