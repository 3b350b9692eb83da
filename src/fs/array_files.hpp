// The Files of gateways, over the partitions and blades of an array.
#pragma once

#include <memory>

#include "fs/core.hpp"
#include "fs/files.hpp"

namespace turbine::fs {

std::unique_ptr<Files> make_files(CorePtr core);

}  // namespace turbine::fs
