// Names of exports as commands take them.
#pragma once

#include <string>

namespace turbine::cli {

/// "photos" and "/photos" are the bucket's export, "/" is that of all buckets.
inline std::string export_name(const std::string& text) {
  return text.starts_with('/') ? text : "/" + text;
}

}  // namespace turbine::cli
