// A bucket as the API shows it.
#pragma once

#include <boost/json.hpp>
#include <optional>

#include "cluster/cluster_map.hpp"
#include "fs/fs.hpp"

namespace turbine::admin {

/// `usage`: nothing when a partition did not answer, which makes its members null.
boost::json::object bucket_json(const cluster::ClusterMap& map, const fs::BucketInfo& bucket,
                                const std::optional<fs::BucketUsage>& usage);

/// "none", or bytes. Errc::invalid.
Result<std::optional<uint64_t>> parse_quota(std::string_view text);

}  // namespace turbine::admin
