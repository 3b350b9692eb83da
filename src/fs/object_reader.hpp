// ObjectReader: one version of an object's content.
#pragma once

#include <memory>
#include <string>

#include "fs/core.hpp"
#include "fs/fs.hpp"

namespace turbine::fs {

/// Looks the object up; small ones come with their bytes. Errc::not_found.
Task<std::unique_ptr<ObjectReader>> open_object(CorePtr core, std::string bucket, std::string key);

/// The object without its content.
Task<ObjectInfo> head_object(CorePtr core, std::string bucket, std::string key);

}  // namespace turbine::fs
