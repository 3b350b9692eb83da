// Bytes on their way into a file: as stripes that are written, or as one payload.
#pragma once

#include <vector>

#include "base/buffer.hpp"
#include "proto/meta.pb.h"

namespace turbine::fs {

/// Adds stripes whose bytes follow one another in the file, from `offset` on.
void add_stripes(const std::vector<proto::NewStripe>& stripes, uint64_t offset,
                 proto::NewContent* content);
/// One buffer of `size` bytes, copied only when there are several.
Buffer join(const std::vector<Buffer>& pieces, size_t size);

}  // namespace turbine::fs
