#include "meta/etag.hpp"

#include <fmt/format.h>

#include "base/hash.hpp"

namespace turbine::meta {

std::string effective_etag(const proto::Inode& inode) {
  if (!inode.etag().empty()) return inode.etag();
  return fmt::format("{:016x}{:016x}-1", inode.id(),
                     combine_seeds(inode.id(), inode.content_version()));
}

}  // namespace turbine::meta
