#pragma once

#include <string>

#include "proto/meta.pb.h"

namespace turbine::meta {

/// The ETag that readers see and conditions are compared with: the stored one, or one made of inode
/// and content version. That has a dash, so that no client takes it for an MD5.
std::string effective_etag(const proto::Inode& inode);

}  // namespace turbine::meta
