// The figures of a load, as a table or as JSON.
#pragma once

#include <string>

#include "workload.hpp"

namespace turbine::bench {

std::string report_text(const LoadOptions& options, const LoadResult& result);
std::string report_json(const LoadOptions& options, const LoadResult& result);

}  // namespace turbine::bench
