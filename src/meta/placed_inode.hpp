// Where the image keeps an inode.
#pragma once

#include <optional>
#include <string>

#include "meta/image.hpp"

namespace turbine::meta {

/// An inode and the row that it lies in: a file's dirent, or its own.
struct Image::PlacedInode {
  std::string key;
  std::optional<proto::Dirent> dirent;
  std::optional<proto::InodeRecord> record;

  proto::Inode& inode() { return dirent ? *dirent->mutable_file() : *record->mutable_inode(); }
};

/// What an inode was before a mutation.
proto::InodeChange change_of(const proto::Inode& before);

}  // namespace turbine::meta
